/** How an image's first boot is set up: https://github.com/raspberrypi/rpi-imager/blob/main/doc/os_customisation_formats.md */
export type InitFormat = 'none' | 'systemd' | 'cloudinit'

/** Who logs in, and by what. */
export interface Login {
  user: string
  publicKey: string
}

/** What the first boot of an image does that a Pi of ours has behind it, or must not do. */
export const firstBootUnits = [
  // Asks for a user at the console: https://github.com/RPi-Distro/userconf-pi
  'userconfig.service',
  // Makes the root part larger, and some of them reboot.
  'rpi-resize.service',
  'rpi-resizerootfs.service',
  'resize2fs_once.service',
  // Makes host keys; ours are known beforehand.
  'regenerate_ssh_host_keys.service',
  // Waits for a network, which a Pi that is about to be frozen has not yet.
  'NetworkManager-wait-online.service',
  'systemd-networkd-wait-online.service',
  // Looks for an EEPROM that QEMU has not.
  'rpi-eeprom-update.service',
]

/** What Raspberry Pi OS has in `cmdline.txt` for its first boot only, which ends in a reboot. */
const firstBootParameter =
  /^(resize|init=\/usr\/lib\/raspberrypi-sys-mods\/firstboot|init=\/usr\/lib\/raspi-config\/init_resize\.sh|systemd\.run(_success_action|_failure_action)?=.*|systemd\.unit=kernel-command-line\.target)$/

/** `cmdline.txt` as it is after the first boot. */
export function settledCommandLine(text: string): string {
  const words = text.trim().split(/\s+/)
  return `${words.filter((word) => !firstBootParameter.test(word)).join(' ')}\n`
}

/** The files that the boot part takes, by the image's own rules, to let `login` in by ssh; none is empty. */
export function bootPartFiles(format: InitFormat, login: Login): Record<string, string> {
  switch (format) {
    case 'systemd':
      // A crypted password that no password gives: https://www.raspberrypi.com/documentation/computers/configuration.html#headless
      return { ssh: '\n', 'userconf.txt': `${login.user}:*\n` }
    case 'cloudinit':
      return cloudInitSeed(login)
    case 'none':
      return {}
  }
}

/** The seed of cloud-init's NoCloud: https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html. JSON is YAML. */
function cloudInitSeed({ user, publicKey }: Login): Record<string, string> {
  const userData = {
    preserve_hostname: true,
    ssh_pwauth: false,
    // Ours are known beforehand.
    ssh_deletekeys: false,
    ssh_genkeytypes: [],
    growpart: { mode: 'off' },
    resize_rootfs: false,
    users: [
      {
        name: user,
        lock_passwd: true,
        shell: '/bin/bash',
        sudo: 'ALL=(ALL) NOPASSWD:ALL',
        ssh_authorized_keys: [publicKey],
      },
    ],
  }
  const network = { version: 2, ethernets: { eth0: { dhcp4: true, optional: true } } }
  const text = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`
  return {
    'user-data': `#cloud-config\n${text(userData)}`,
    'meta-data': text({ 'instance-id': 'vitest-raspi', dsmode: 'local' }),
    'network-config': text(network),
  }
}
