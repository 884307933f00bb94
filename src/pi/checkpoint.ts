import type { MadeCheckpoint } from '../lab/protocol.ts'

/** A Pi as it was at `pi.checkpoint()`, to be had again by `pi.restore()` until the Pi is given back. */
export class Checkpoint {
  /** The name it was given, else `1`, `2`, … */
  readonly name: string
  /** The Pi it is of, by its name in the inventory. */
  readonly pi: string
  /** How long it took to make, in ms. */
  readonly durationMs: number
  /** @internal */
  readonly id: string
  /** @internal The number of its Pi in this run. */
  readonly piNumber: number

  /** @internal */
  constructor(pi: { name: string; number: number }, { id, name, durationMs }: MadeCheckpoint) {
    this.name = name
    this.pi = pi.name
    this.durationMs = durationMs
    this.id = id
    this.piNumber = pi.number
  }

  toString(): string {
    return `checkpoint ${this.name} of ${this.pi}`
  }
}
