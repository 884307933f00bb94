import { RaspiError } from '../errors.ts'
import type { Machine } from './machine.ts'

/** A pin of the header or of the board, as the emulated controller has it. */
export interface GpioPin {
  /** Its number as the SoC counts: GPIO 17 is pin 11 of the header. */
  gpio: number
  /** What the guest has set it to; `alt0` to `alt5` are functions of the SoC, by its datasheet. */
  function: 'input' | 'output' | 'alt0' | 'alt1' | 'alt2' | 'alt3' | 'alt4' | 'alt5'
  /** What an output drives. An input, which nothing drives here, is low. */
  level: 'high' | 'low'
}

/**
 * Where the controller is, by QEMU's name of the board: the peripherals' base and 0x200000.
 * https://datasheets.raspberrypi.com/bcm2835/bcm2835-peripherals.pdf, 6.1
 */
const controllers: Record<string, number> = {
  raspi0: 0x20200000,
  raspi1ap: 0x20200000,
  raspi2b: 0x3f200000,
  raspi3ap: 0x3f200000,
  raspi3b: 0x3f200000,
}

/** Of the function-select registers from 0 on, and of the level registers, in bytes. */
const levelsOffset = 0x34
const pins = 54

/** By the three bits of a pin in its function-select register. */
const functions = ['input', 'output', 'alt5', 'alt4', 'alt0', 'alt1', 'alt2', 'alt3'] as const

/** Reads all pins, as the guest has set them. Throws a `RaspiError` where the board has no such controller. */
export async function readGpio(machine: Machine): Promise<GpioPin[]> {
  const { name } = machine.spec.board
  const base = controllers[name]
  if (base === undefined)
    throw new RaspiError('options', `The board ${name} has no GPIO controller whose pins could be read.`)
  // A register is read as a whole; reading changes none.
  const selects = words(await machine.qmp.monitor(`xp /6wx ${base}`))
  const levels = words(await machine.qmp.monitor(`xp /2wx ${base + levelsOffset}`))
  return Array.from({ length: pins }, (_, gpio) => ({
    gpio,
    function: functions[((selects[Math.floor(gpio / 10)] ?? 0) >>> (3 * (gpio % 10))) & 7] ?? 'input',
    level: ((levels[Math.floor(gpio / 32)] ?? 0) >>> (gpio % 32)) & 1 ? 'high' : 'low',
  }))
}

/** The words in what the monitor prints: `000000003f200000: 0x00000000 0x00000001 …`. */
export function words(dump: string): number[] {
  return [...dump.replace(/^\s*[0-9a-f]+:/gim, '').matchAll(/0x[0-9a-f]+/gi)].map(([word]) => Number(word))
}
