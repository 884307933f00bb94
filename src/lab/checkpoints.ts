import { RaspiError } from '../errors.ts'
import type { FrozenPi } from '../freeze/store.ts'
import { type Log, phase } from '../host/progress.ts'
import type { Gate } from './gate.ts'
import type { LivePi } from './live-pi.ts'
import type { MadeCheckpoint } from './protocol.ts'

/** What it takes to make and restore checkpoints. */
export interface CheckpointContext {
  /** The lent Pi of a number. */
  lent(number: number): LivePi
  starts: Gate
  log: Log
}

/** The checkpoints of lent Pis. Their files lie below their Pi's directory, and go with it. */
export class Checkpoints {
  readonly #context: CheckpointContext
  readonly #made = new WeakMap<LivePi, Map<string, FrozenPi>>()
  readonly #busy = new WeakSet<LivePi>()
  #count = 0

  constructor(context: CheckpointContext) {
    this.#context = context
  }

  /** Makes one. Throws a `RaspiError` where the Pi is off, or cannot be shut down or booted without its network. */
  async make(number: number, name: string | undefined): Promise<MadeCheckpoint> {
    const started = performance.now()
    const pi = this.#context.lent(number)
    if (!pi.source.frozen) {
      throw new RaspiError(
        'freeze',
        `Pi ${pi.identity.hostname} can have no checkpoint: its image cannot be frozen here.`,
      )
    }
    pi.machine.running('It can have no checkpoint')
    const checkpoints = this.#made.get(pi) ?? new Map<string, FrozenPi>()
    this.#made.set(pi, checkpoints)
    const id = `k${++this.#count}`
    const shown = name ?? String(checkpoints.size + 1)
    const { log } = this.#context
    await this.#alone(pi, () =>
      phase(log, `Pi ${pi.identity.hostname}: checkpoint ${shown} (it boots once more)`, async () => {
        checkpoints.set(id, await pi.checkpoint(id, log))
      }),
    )
    return { id, name: shown, durationMs: performance.now() - started }
  }

  /** Restores one. Throws a `RaspiError` where the Pi has no such checkpoint. */
  async restore(number: number, id: string): Promise<void> {
    const pi = this.#context.lent(number)
    const frozen = this.#made.get(pi)?.get(id)
    if (!frozen) throw new RaspiError('lab', `Pi ${pi.identity.hostname} has no checkpoint ${id}.`)
    await this.#alone(pi, () => pi.restore(frozen))
  }

  /** Forgets those of a Pi whose card has gone, and removes them. */
  async forget(pi: LivePi): Promise<void> {
    const checkpoints = this.#made.get(pi)
    this.#made.delete(pi)
    for (const { dir } of checkpoints?.values() ?? []) await pi.machine.place.remove(dir)
  }

  async #alone(pi: LivePi, work: () => Promise<void>): Promise<void> {
    if (this.#busy.has(pi)) {
      throw new RaspiError(
        'lab',
        `Pi ${pi.identity.hostname} is at another checkpoint: await that one first.`,
      )
    }
    this.#busy.add(pi)
    try {
      const leave = await this.#context.starts.enter(1, pi.signal)
      await work().finally(leave)
    } finally {
      this.#busy.delete(pi)
    }
  }
}
