import { RaspiError } from '../errors.ts'
import type { Board } from '../machine/boards.ts'

/** What the firmware knows of the model it runs on, and what QEMU makes of that model. */
export interface Model {
  /** The model filters of config.txt that hold on it. */
  filters: readonly string[]
  /** Its type in the revision code that QEMU gives the board, which `[board-type=…]` compares. */
  boardType: number
  /** The 32-bit kernels it looks for, best first. */
  kernels: readonly string[]
  /** What `arm_64bit` is where config.txt says nothing; undefined where the model has no 64-bit mode. */
  arm64bit: boolean | undefined
  /** Which kernels QEMU starts: 64 bits on a 64-bit core, never 32, unlike the firmware of a real Pi. */
  starts: 32 | 64
  /** How overlay_map.dtb calls it. */
  platform: 'bcm2835' | 'bcm2711'
}

const pi3 = {
  kernels: ['kernel7.img', 'kernel.img'],
  arm64bit: false,
  starts: 64,
  platform: 'bcm2835',
} as const

/**
 * The Pis of https://www.qemu.org/docs/master/system/arm/raspi.html by QEMU's names. Filters and default kernels:
 * https://www.raspberrypi.com/documentation/computers/config_txt.html#model-filters. Types:
 * https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#new-style-revision-codes
 */
const models: Record<string, Model> = {
  raspi0: {
    filters: ['pi0'],
    boardType: 0x09,
    kernels: ['kernel.img'],
    arm64bit: undefined,
    starts: 32,
    platform: 'bcm2835',
  },
  raspi1ap: {
    filters: ['pi1'],
    boardType: 0x02,
    kernels: ['kernel.img'],
    arm64bit: undefined,
    starts: 32,
    platform: 'bcm2835',
  },
  raspi2b: {
    filters: ['pi2'],
    boardType: 0x04,
    kernels: ['kernel7.img', 'kernel.img'],
    arm64bit: undefined,
    starts: 32,
    platform: 'bcm2835',
  },
  raspi3ap: { ...pi3, filters: ['pi3', 'pi3+'], boardType: 0x0e },
  raspi3b: { ...pi3, filters: ['pi3'], boardType: 0x08 },
  raspi4b: {
    filters: ['pi4'],
    boardType: 0x11,
    kernels: ['kernel7l.img', 'kernel7.img', 'kernel.img'],
    arm64bit: true,
    starts: 64,
    platform: 'bcm2711',
  },
  // No Pi: no section for a model holds, and of kernels it knows the 64-bit one.
  virt: {
    filters: [],
    boardType: -1,
    kernels: ['kernel8.img'],
    arm64bit: undefined,
    starts: 64,
    platform: 'bcm2711',
  },
}

/** The model that `board` is. Throws a `RaspiError` where it is none that a Pi's firmware runs on. */
export function modelOf({ name }: Pick<Board, 'name'>): Model {
  const model = models[name]
  if (model) return model
  throw new RaspiError('firmware', `The firmware of a Raspberry Pi does not know the board ${name}.`, {
    hint: `It knows ${Object.keys(models).join(', ')}.`,
  })
}
