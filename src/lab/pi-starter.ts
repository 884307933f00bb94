import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine, PiSource } from '../engine/engine.ts'
import { messageOf } from '../errors.ts'
import { duration, type Log } from '../host/progress.ts'
import type { RunDir } from '../host/run-dir.ts'
import type { Calm } from './after-hand-over.ts'
import { Gate } from './gate.ts'
import { LivePi, type PiNetworks } from './live-pi.ts'
import type { WantedPi } from './protocol.ts'

/** What distinguishes a Pi from whichever comes next. */
export interface Particulars extends Omit<WantedPi, 'name'> {
  networks?: PiNetworks | undefined
}

/** Whether a Pi has to be made for its holder, and not for whoever comes. */
export const isParticular = ({ hostname, sshPort, number, internet, networks, off, enrolled }: Particulars) =>
  [hostname, sshPort, number, networks].some((wish) => wish !== undefined) ||
  internet === false ||
  off ||
  enrolled

/** What it takes to start the Pis of a run. */
export interface StarterContext {
  runDir: RunDir
  /** How many may start at once. */
  starts: Gate
  /** Until the first login, in ms. */
  bootTimeout: number
  /** Makes sure of what Pis run on, once. */
  engine(): Promise<Engine>
  log: Log
  notEmulated(sentences: string[]): void
  /** Aborts at the end of the run. */
  signal: AbortSignal
}

/** Brings the Pis of a run to life and ends them, each in a directory of its own. */
export class PiStarter {
  readonly #context: StarterContext
  readonly #calm: Calm
  #count = 0

  constructor(context: StarterContext) {
    this.#context = context
    const { starts } = context
    const turns = new Gate(1)
    this.#calm = { wait: (signal) => starts.whenIdle(signal), turn: (signal) => turns.enter(1, signal) }
  }

  /** Starts a Pi for somebody, in turn with others. */
  async start(source: PiSource, signal: AbortSignal, wanted: Particulars): Promise<LivePi> {
    const leave = await this.#context.starts.enter(1, signal)
    try {
      const pi = await this.#bringToLife(source, signal, wanted)
      if (pi.origin === 'booted')
        this.#context.log(`Pi ${pi.identity.hostname} booted in ${duration(pi.startMs)}`)
      return pi
    } finally {
      leave()
    }
  }

  /**
   * Starts a Pi for the pool. It queues with nobody: a lease must never wait for it. Where somebody takes it before it is
   * there, `hurry` aborts: it has its full share of the processors from then on, and does not come to rest before. Those
   * that are lent wait with what they still do as for any start: whoever has one of them may well want this one next.
   */
  async startAtRest(source: PiSource, signal: AbortSignal, hurry: AbortSignal): Promise<LivePi> {
    const stop = AbortSignal.any([signal, this.#context.signal])
    const leave = this.#context.starts.join()
    const started = this.#bringToLife(source, stop, {}, { priority: 'background', hurry })
    const pi = await started.finally(leave)
    try {
      await pi.rest(signal)
      return pi
    } catch (error) {
      await this.end(pi)
      throw error
    }
  }

  /** Ends a Pi at once, and removes what is left of it. Never rejects: what cannot be removed goes with the run's directory. */
  async end(pi: LivePi): Promise<void> {
    const leftOver = (error: unknown) =>
      this.#context.log(`Not all is gone of Pi ${pi.identity.hostname}, which has ended: ${messageOf(error)}`)
    await pi.end().catch(leftOver)
    // Whatever was at work on it may still be writing.
    await rm(this.#dirOf(pi.number), { recursive: true, force: true, maxRetries: 2 }).catch(leftOver)
  }

  async #bringToLife(
    source: PiSource,
    signal: AbortSignal,
    wanted: Particulars,
    background: { priority?: 'background'; hurry?: AbortSignal } = {},
  ): Promise<LivePi> {
    const { engine, bootTimeout, notEmulated, log } = this.#context
    const { number = ++this.#count, sshPort, internet, networks, off, enrolled } = wanted
    return LivePi.start(source, {
      ...{ number, hostname: wanted.hostname ?? `pi-${number}`, sshPort, internet, networks },
      ...{ off, enrolled },
      dir: this.#dirOf(number),
      ...{ engine: await engine(), timeoutMs: bootTimeout, signal, ...background, notEmulated, log },
      calm: this.#calm,
    })
  }

  #dirOf(number: number): string {
    return join(this.#context.runDir.path, String(number))
  }
}
