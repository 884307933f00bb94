import { createDebug } from 'obug'
import type { PiSource } from '../engine/engine.ts'
import { messageOf } from '../errors.ts'
import type { LivePi } from './live-pi.ts'

const debug = createDebug('raspi:ready')

/** How a pool has its Pis made, and ended. */
export interface PoolWork {
  /**
   * Starts a Pi in the background, at rest when it is given. Stops at once when `signal` aborts. When `hurry` aborts
   * somebody waits for it: then it need not come to rest.
   */
  start(source: PiSource, signal: AbortSignal, hurry: AbortSignal): Promise<LivePi>
  end(pi: LivePi): Promise<void>
  /** How many more Pis may live now, beside those that are lent and those of the pool. */
  room(): number
}

interface Entry {
  source: PiSource
  pi: Promise<LivePi>
  ready: boolean
  abort: AbortController
  hurry: AbortController
}

/**
 * Pis that are thawed, logged in to, and paused until somebody wants one: a paused Pi costs memory, but no processor
 * time. It refills itself one Pi at a time, and only where nobody else wants the room.
 */
export class ReadyPool {
  readonly #size: number
  readonly #work: PoolWork
  readonly #entries = new Set<Entry>()
  readonly #sources = new Set<PiSource>()
  /** Of whose Pis a refill has failed: those come by leases only, which tell why. */
  readonly #hopeless = new Set<PiSource>()
  #drained = false

  /** `size` is how many Pis of each source are kept; 0 keeps none. */
  constructor(size: number, work: PoolWork) {
    this.#size = size
    this.#work = work
  }

  /** How many Pis live in it, those that are starting included. */
  get living(): number {
    return this.#entries.size
  }

  /** How many of them are ready. */
  get ready(): number {
    return [...this.#entries].filter(({ ready }) => ready).length
  }

  /**
   * Takes a Pi of `source`: a ready one, or else one that is just starting, which is still sooner than another. Gives
   * nothing where there is neither. The Pi is the taker's from now on, and `signal` stops its start.
   */
  take(source: PiSource, signal: AbortSignal): Promise<LivePi> | undefined {
    const mine = [...this.#entries].filter((entry) => entry.source === source)
    const entry = mine.find(({ ready }) => ready) ?? mine[0]
    if (!entry) return undefined
    this.#entries.delete(entry)
    if (entry.ready) return entry.pi
    entry.hurry.abort()
    const giveUp = () => entry.abort.abort(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    const taken = entry.pi.finally(() => signal.removeEventListener('abort', giveUp))
    // Its taker may have something else to wait for first.
    taken.catch(() => {})
    return taken
  }

  /**
   * Starts Pis in the background, one after the other: of each of `sources`, and of those it was told of before, as many
   * as it keeps, where there is room.
   */
  refill(...sources: readonly PiSource[]): void {
    for (const source of sources) this.#sources.add(source)
    if (this.#drained || [...this.#entries].some(({ ready }) => !ready) || this.#work.room() < 1) return
    const next = [...this.#sources].find((source) => this.#lacks(source))
    if (!next) return
    const [abort, hurry] = [new AbortController(), new AbortController()]
    const pi = this.#work.start(next, abort.signal, hurry.signal)
    const entry: Entry = { source: next, abort, hurry, ready: false, pi }
    this.#entries.add(entry)
    entry.pi.then(
      (pi) => {
        entry.ready = true
        debug('%s is ready', pi.identity.hostname)
        pi.machine.whenLost(() => void this.#end(entry))
        this.refill()
      },
      (error) => {
        if (!this.#entries.delete(entry) || abort.signal.aborted) return
        this.#hopeless.add(next)
        debug('no Pi can be kept ready: %s', messageOf(error))
      },
    )
  }

  // Cold boots take the host for a minute, and a machine that boots has nothing to be paused at.
  #lacks(source: PiSource): boolean {
    const kept = [...this.#entries].filter((entry) => entry.source === source).length
    return source.frozen !== undefined && !this.#hopeless.has(source) && kept < this.#size
  }

  /** Ends Pis, those of other sources than `wanted` first, until no more than `most` live in the pool. */
  async shrink(most: number, wanted?: PiSource): Promise<void> {
    const order = [...this.#entries].sort((a, b) => Number(a.source === wanted) - Number(b.source === wanted))
    await Promise.all(order.slice(0, Math.max(0, this.#entries.size - most)).map((entry) => this.#end(entry)))
  }

  /** Ends all its Pis; it keeps none from now on. */
  async drain(): Promise<void> {
    this.#drained = true
    await this.shrink(0)
  }

  async #end(entry: Entry) {
    if (!this.#entries.delete(entry)) return
    entry.abort.abort()
    const pi = await entry.pi.catch(() => undefined)
    if (pi) await this.#work.end(pi)
  }
}
