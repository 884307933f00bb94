/**
 * Puts the newest kernel, its initramfs and its device trees where the Pi's firmware looks for them; run whenever a
 * kernel or an initramfs changes. Kernel and initramfs have the names that `auto_initramfs=1` pairs; the device trees
 * have those of the mainline kernel and those of Raspberry Pi's own, which the firmware asks for.
 * https://www.raspberrypi.com/documentation/computers/config_txt.html#auto_initramfs
 */
export const bootFilesScript = `#!/bin/sh
set -e
boot=/boot/firmware
version=
for candidate in $(linux-version list | linux-version sort); do
	if [ -e "/boot/vmlinuz-$candidate" ] && [ -e "/boot/initrd.img-$candidate" ]; then version=$candidate; fi
done
[ -n "$version" ] || exit 0
mkdir -p "$boot"

# A new name and a rename, so that a power cut leaves the old file or the new one.
put() {
	cmp -s "$1" "$boot/$2" && return
	cp "$1" "$boot/$2.new"
	sync "$boot/$2.new"
	mv "$boot/$2.new" "$boot/$2"
}

put "/boot/vmlinuz-$version" kernel8.img
put "/boot/initrd.img-$version" initramfs8
for dtb in "/usr/lib/linux-image-$version"/broadcom/bcm*-rpi-*.dtb; do
	[ -e "$dtb" ] || continue
	name=$(basename "$dtb")
	put "$dtb" "$name"
	case $name in
		bcm2837-rpi-cm3-io3.dtb) put "$dtb" bcm2710-rpi-cm3.dtb ;;
		bcm2837-*) put "$dtb" "bcm2710-\${name#bcm2837-}" ;;
	esac
done
overlays=/usr/lib/linux-image-$version/overlays
if [ -d "$overlays" ]; then
	mkdir -p "$boot/overlays"
	for overlay in "$overlays"/*.dtbo; do put "$overlay" "overlays/$(basename "$overlay")"; done
fi
echo "raspi-boot-files: $boot has Linux $version"
`

/** What of Raspberry Pi OS's config.txt means something to a Pi without a screen. */
export const configTxt = `# https://www.raspberrypi.com/documentation/computers/config_txt.html

# 64-bit kernel, and the initramfs that goes with it
arm_64bit=1
auto_initramfs=1

# Serial console
enable_uart=1
`
