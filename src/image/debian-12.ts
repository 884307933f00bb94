import { bootFilesScript, configTxt } from './boot-files.ts'
import type { CardLayout, GuestFile, Recipe } from './recipe.ts'

const MiB = 1024 * 1024

/** As Raspberry Pi OS lays out its cards; the disk id is fixed so that fstab and cmdline.txt can name it. */
const layout: CardLayout = {
  diskId: '76726173',
  cardBytes: 4096 * MiB,
  bootStartBytes: 4 * MiB,
  bootBytes: 256 * MiB,
}

/** What a playbook may expect of a small Raspberry Pi OS Lite, and no more: each package costs build time. */
const packages = [
  'usr-is-merged',
  'systemd',
  'systemd-sysv',
  'systemd-resolved',
  'systemd-timesyncd',
  'libpam-systemd',
  'udev',
  'dbus',
  'kmod',
  'procps',
  'less',
  'cron',
  'sudo',
  'tzdata',
  'netbase',
  'iproute2',
  'iputils-ping',
  'openssh-server',
  'ca-certificates',
  'curl',
  'python3',
  'python3-apt',
  'initramfs-tools',
  'zstd',
]

/**
 * They save the guest time as well. Without translations `apt-get update` fetches a third less; nobody reads manuals on
 * an emulated Pi; and what a power cut does to dpkg's files is no concern on a card that is thrown away.
 */
const aptOptions = ['Acquire::Languages "none"']
const dpkgOptions = [
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/doc/*',
  'path-exclude=/usr/share/locale/*',
  'force-unsafe-io',
]

/**
 * What the kernel needs until its root is mounted and its network is up: SD card, power domains, USB and USB network; and
 * the watchdog, by which a Pi reboots, for a root file system that is repaired asks for that before udev is there.
 * MODULES=most would cost 10 minutes of emulated shell and 28 MB.
 */
const initramfsModules = [
  'bcm2835',
  'sdhci_iproc',
  'mmc_block',
  'ext4',
  'phy_generic',
  'dwc2',
  'usbnet',
  'cdc_ether',
  'rndis_host',
  'bcm2835_dma',
  'raspberrypi_power',
  'clk_raspberrypi',
  'gpio_raspberrypi_exp',
  'bcm2835_mailbox',
  'reset_raspberrypi',
  'bcm2835_wdt',
]

/** What QEMU's board `virt` has in place of a card. Only there for udev to find: a Pi shall not load it at each boot. */
const virtioHook = lines([
  '#!/bin/sh',
  'if [ "$1" = prereqs ]; then exit 0; fi',
  '. /usr/share/initramfs-tools/hook-functions',
  'manual_add_modules virtio_pci virtio_blk',
])

const earlyFiles: GuestFile[] = [
  { path: '/etc/initramfs-tools/conf.d/raspi', text: 'MODULES=list\nCOMPRESS=zstd\n' },
  // Not /etc/initramfs-tools/modules: that is a conffile, and dpkg would ask about it.
  { path: '/usr/share/initramfs-tools/modules.d/raspi', text: lines(initramfsModules) },
  { path: '/etc/initramfs-tools/hooks/virtio', mode: '0755', text: virtioHook },
  // No /vmlinuz and /initrd.img: Raspberry Pi OS has none.
  { path: '/etc/kernel-img.conf', text: 'do_symlinks = no\n' },
  { path: '/usr/local/sbin/raspi-boot-files', mode: '0755', text: bootFilesScript },
  ...['/etc/kernel/postinst.d', '/etc/kernel/postrm.d', '/etc/initramfs/post-update.d'].map((dir) => ({
    path: `${dir}/zz-raspi-boot-files`,
    mode: '0755',
    text: '#!/bin/sh\nexec /usr/local/sbin/raspi-boot-files >&2\n',
  })),
]

/** The package would collect its certificates three times, each time for 20 s of emulated shell; `finish` does it once. */
const caCertificates = '/usr/sbin/update-ca-certificates'
const prepare = lines([
  `dpkg-divert --quiet --local --no-rename --divert ${caCertificates}.distrib --add ${caCertificates}`,
  `ln -s /bin/true ${caCertificates}`,
])

const files: GuestFile[] = [
  { path: '/etc/hostname', text: 'raspberrypi\n' },
  {
    path: '/etc/hosts',
    text: lines([
      '127.0.0.1\tlocalhost',
      '::1\t\tlocalhost ip6-localhost ip6-loopback',
      'ff02::1\t\tip6-allnodes',
      'ff02::2\t\tip6-allrouters',
      '',
      '127.0.1.1\traspberrypi',
    ]),
  },
  {
    path: '/etc/fstab',
    text: lines([
      'proc            /proc           proc    defaults          0       0',
      `PARTUUID=${layout.diskId}-01  /boot/firmware  vfat    defaults          0       2`,
      `PARTUUID=${layout.diskId}-02  /               ext4    defaults,noatime  0       1`,
    ]),
  },
  { path: '/boot/firmware/config.txt', text: configTxt },
  {
    path: '/boot/firmware/cmdline.txt',
    text: `console=serial0,115200 console=tty1 root=PARTUUID=${layout.diskId}-02 rootfstype=ext4 fsck.repair=yes rootwait\n`,
  },
  { path: '/etc/default/locale', text: 'LANG=C.UTF-8\n' },
  {
    path: '/etc/apt/sources.list',
    text: lines([
      'deb http://deb.debian.org/debian bookworm main',
      'deb http://deb.debian.org/debian bookworm-updates main',
      'deb http://deb.debian.org/debian-security bookworm-security main',
    ]),
  },
  {
    path: '/etc/systemd/network/80-dhcp.network',
    text: '[Match]\nName=en* eth* usb*\n\n[Network]\nDHCP=yes\n',
  },
  {
    path: '/etc/ssh/sshd_config.d/raspi.conf',
    text: 'PasswordAuthentication no\nKbdInteractiveAuthentication no\nUseDNS no\n',
  },
  { path: '/etc/sudoers.d/010_pi-nopasswd', mode: '0440', text: 'pi ALL=(ALL) NOPASSWD: ALL\n' },
]

/** The groups of Raspberry Pi OS's first user; those that Debian lacks are made. */
const groups = [
  'adm',
  'dialout',
  'cdrom',
  'sudo',
  'audio',
  'video',
  'plugdev',
  'games',
  'users',
  'input',
  'render',
  'netdev',
  'spi',
  'i2c',
  'gpio',
]

/** `*` and not the usual `!`: sshd takes the latter for a locked account where PAM is off. */
const users = lines([
  `for group in ${groups.join(' ')}; do groupadd --force --system "$group"; done`,
  `useradd --uid 1000 --user-group --groups ${groups.join(',')} --create-home --shell /bin/bash --password '*' pi`,
  "usermod --password '*' root",
])

/**
 * The timers would start apt and scrub the disk just after boot, where emulation is slowest and a test waits. They are
 * disabled, not masked: a playbook may enable them again. The mtime of clock-epoch is the earliest time that systemd
 * believes in: a Pi has no clock, and it should not start years in the past.
 */
const finish = lines([
  'chown -R pi:pi /home/pi',
  'chmod 0700 /home/pi/.ssh',
  'systemctl enable systemd-networkd.service ssh.service',
  'systemctl disable systemd-networkd-wait-online.service e2scrub_reap.service systemd-pstore.service \\',
  '  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer',
  'ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf',
  // eth0, as on Raspberry Pi OS, whose raspi-config turns predictable names off in this way.
  'ln -s /dev/null /etc/systemd/network/99-default.link',
  'ln -s /dev/null /etc/systemd/network/73-usb-net-by-mac.link',
  // The build host's name servers.
  'rm -f /etc/.resolv.conf.systemd-resolved.bak',
  'touch /usr/lib/clock-epoch',
  `rm ${caCertificates}`,
  `dpkg-divert --quiet --local --rename --remove ${caCertificates}`,
  `${caCertificates} & collecting=$!`,
  'update-initramfs -c -k "$(linux-version list | linux-version sort | tail -n 1)"',
  'wait "$collecting"',
])

/** Debian 12 for 64-bit Pis, in the layout of Raspberry Pi OS; `publicKey` may log in as `pi`. */
export function debian12arm64(publicKey: string): Recipe {
  return debian12('arm64', publicKey)
}

/**
 * The same with 32-bit programs on the 64-bit kernel, as Raspberry Pi OS for 32 bits runs on a Pi 3 with
 * `arm_64bit=1`: QEMU's Pi 3 starts no 32-bit kernel.
 */
export function debian12armhf(publicKey: string): Recipe {
  return debian12('armhf', publicKey)
}

function debian12(architecture: 'arm64' | 'armhf', publicKey: string): Recipe {
  return {
    name: `debian-12-${architecture}`,
    architecture,
    kernelArchitecture: 'arm64',
    suite: 'bookworm',
    packages: [...packages, 'linux-image-arm64:arm64'],
    aptOptions,
    dpkgOptions,
    earlyFiles,
    prepare,
    files: [...files, { path: '/home/pi/.ssh/authorized_keys', mode: '0600', text: `${publicKey}\n` }],
    users,
    finish,
    layout,
    user: 'pi',
  }
}

function lines(all: string[]): string {
  return `${all.join('\n')}\n`
}
