import { accessSync, constants } from 'node:fs'
import * as z from 'zod'
import { type BoardOption, boardSchema } from '../board-option.ts'
import { RaspiError } from '../errors.ts'
import type { Architecture } from '../image/image.ts'

/** What distinguishes a machine that QEMU emulates from another. */
export interface Board {
  /** QEMU's name for it. */
  name: string
  /** Tells it from every other board, of other sizes too, on this kind of host. */
  id: string
  /** What it is built of: a Pi's parts, or virtio on PCI. */
  parts: 'raspi' | 'virtio'
  memoryMiB: number
  /** Where these can be chosen: its cores, and what runs them. A Pi has what it has, and is emulated. */
  processor?: { cores: number; accelerator: 'tcg' | 'kvm' } | undefined
  architectures: readonly Architecture[]
  /** The names by which the Pi's firmware looks for the board's device tree, best first. None where QEMU makes it. */
  deviceTrees: readonly string[]
  /** What the kernel must be told in addition to `cmdline.txt`, because the board is emulated. */
  kernelParameters: readonly string[]
  /** What the firmware makes of `console=serial0` (https://www.raspberrypi.com/documentation/computers/configuration.html). */
  serial0: string
  /** The tty of the second UART, which the image's own set-up leaves alone. */
  serviceTty: string
}

/** The last console is where systemd reports to, and the serial one is the one we keep. */
const serialConsole = 'console=ttyAMA0,115200'

/**
 * QEMU 7.2 and later give these exactly their memory and four cores, no PCI and no virtio: the card is on `if=sd`, the
 * network is `usb-net` (https://www.qemu.org/docs/master/system/arm/raspi.html).
 */
const pi3 = {
  parts: 'raspi',
  architectures: ['arm64', 'armhf'],
  kernelParameters: [
    // A sleeping USB hub or NIC of QEMU's never wakes up again.
    'usbcore.autosuspend=-1',
    // QEMU resets the board at once when its watchdog is armed, as Raspberry Pi OS does for a hang of one minute.
    'systemd.watchdog_sec=off',
    serialConsole,
  ],
  serial0: 'ttyAMA0',
  serviceTty: 'ttyS1',
} as const satisfies Partial<Board>

/** The Pis, by QEMU's names. */
export const boards = {
  raspi3b: {
    ...pi3,
    name: 'raspi3b',
    id: 'raspi3b',
    memoryMiB: 1024,
    deviceTrees: ['bcm2710-rpi-3-b.dtb', 'bcm2837-rpi-3-b.dtb'],
  },
  raspi3ap: {
    ...pi3,
    name: 'raspi3ap',
    id: 'raspi3ap',
    memoryMiB: 512,
    kernelParameters: [
      // Of the power domains' registers QEMU has none, and unlike raspi3b this one lets the kernel die of reading them.
      'initcall_blacklist=bcm2835_power_driver_init',
      ...pi3.kernelParameters,
    ],
    // Raspberry Pi's own kernel has no tree of its own for the 3A+ and gives it that of the 3B+.
    deviceTrees: ['bcm2710-rpi-3-a-plus.dtb', 'bcm2837-rpi-3-a-plus.dtb', 'bcm2710-rpi-3-b-plus.dtb'],
  },
} as const satisfies Record<string, Board>

/**
 * No Pi, but of any size: a machine with virtio on PCI, for images whose kernel has that. On arm64 hosts with KVM their
 * own processor runs it. https://www.qemu.org/docs/master/system/arm/virt.html
 */
export function virt(memoryMiB: number, cores: number, accelerator: 'tcg' | 'kvm'): Board {
  return {
    name: 'virt',
    id: `virt-${memoryMiB}-${cores}-${accelerator}`,
    parts: 'virtio',
    memoryMiB,
    processor: { cores, accelerator },
    architectures: ['arm64', 'armhf'],
    deviceTrees: [],
    kernelParameters: [serialConsole],
    serial0: 'ttyAMA0',
    serviceTty: 'ttyS0',
  }
}

/** The board that `option` chooses, on this host. Throws a `RaspiError` that says what is wrong with it. */
export function boardOf(option: BoardOption, kvm: () => boolean = hasKvm): Board {
  const { success, data, error } = boardSchema.safeParse(option)
  if (!success) throw new RaspiError('options', `There is no such board:\n${z.prettifyError(error)}`)
  if (data === 'raspi3b' || data === 'raspi3ap') return boards[data]
  const { memoryMiB, cores } = data === 'virt' ? { memoryMiB: 1024, cores: 2 } : data
  return virt(memoryMiB, cores, kvm() ? 'kvm' : 'tcg')
}

function hasKvm(): boolean {
  if (process.arch !== 'arm64') return false
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** What a user would have written to have `board`. */
export function optionOf({ name, memoryMiB, processor }: Board): BoardOption {
  return boardSchema.parse(name === 'virt' ? { name, memoryMiB, cores: processor?.cores } : name)
}
