import type { Architecture } from '../image/image.ts'

/** What distinguishes a machine that QEMU emulates from another. */
export interface Board {
  /** QEMU's name for it. */
  name: string
  memoryMiB: number
  architectures: readonly Architecture[]
  /** The names by which the Pi's firmware looks for the board's device tree, best first. */
  deviceTrees: readonly string[]
  /** What the kernel must be told in addition to `cmdline.txt`, because the board is emulated. */
  kernelParameters: readonly string[]
  /** What the firmware makes of `console=serial0` (https://www.raspberrypi.com/documentation/computers/configuration.html). */
  serial0: string
  /** The tty of the second UART, which the image's own set-up leaves alone. */
  serviceTty: string
}

/**
 * The boards, by QEMU's names. QEMU 7.2 and later give raspi3b exactly 1 GiB and four cores, no PCI and no virtio: the
 * card is on `if=sd`, the network is `usb-net` (https://www.qemu.org/docs/master/system/arm/raspi.html).
 */
export const boards = {
  raspi3b: {
    name: 'raspi3b',
    memoryMiB: 1024,
    architectures: ['arm64', 'armhf'],
    deviceTrees: ['bcm2710-rpi-3-b.dtb', 'bcm2837-rpi-3-b.dtb'],
    kernelParameters: [
      // A sleeping USB hub or NIC of QEMU's never wakes up again.
      'usbcore.autosuspend=-1',
      // QEMU resets the board at once when its watchdog is armed, as Raspberry Pi OS does for a hang of one minute.
      'systemd.watchdog_sec=off',
      // The last console is where systemd reports to, and the serial one is the one we keep.
      'console=ttyAMA0,115200',
    ],
    serial0: 'ttyAMA0',
    serviceTty: 'ttyS1',
  },
} as const satisfies Record<string, Board>
