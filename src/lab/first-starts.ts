import type { RaspiError } from '../errors.ts'

/**
 * Brings a Pi to life that was never on, and settles when its holder may have it. Where `cut` aborts it gives up, with its
 * reason; not once somebody can log in, who is not to lose what he does.
 */
export type FirstStart = (cut: AbortSignal) => Promise<void>

/** How a first start is begun. */
export interface FirstStartWork {
  /** Aborts where it is given up: the {@link FirstStarts.cut} of when it was asked for. */
  cut: AbortSignal
  /** Starts a machine by `work`. */
  startBy(work: () => Promise<void>): Promise<void>
  /** Whether a machine has come of it. */
  hasMachine(): boolean
}

/** The first starts of a Pi: that which is to come, that which is at work, and what gives them up. */
export class FirstStarts {
  #next: FirstStart | undefined
  #atWork: Promise<void> | undefined
  #cut = new AbortController()

  /** What brings the Pi to life when it is switched on, where it was not yet. */
  get next(): FirstStart | undefined {
    return this.#next
  }

  /** Has `start` bring the Pi to life when it is switched on. */
  plan(start: FirstStart): void {
    this.#next = start
  }

  /** Has none to come any more. */
  drop(): void {
    this.#next = undefined
  }

  /** Settles as the one at work does; undefined where there is none. */
  get atWork(): Promise<void> | undefined {
    return this.#atWork
  }

  /** Aborts when those are given up that have been asked for until now. */
  get cut(): AbortSignal {
    return this.#cut.signal
  }

  /** Begins `start`, and settles as it does. Where it was given up, or no machine has come of it, it is still to come. */
  begin(start: FirstStart, { cut, startBy, hasMachine }: FirstStartWork): Promise<void> {
    this.#next = undefined
    const started = startBy(async () => {
      try {
        cut.throwIfAborted()
        await start(cut)
      } catch (error) {
        if (cut.aborted || !hasMachine()) this.#next = start
        throw error
      }
    })
    this.#atWork = started
    const over = () => {
      if (this.#atWork === started) this.#atWork = undefined
    }
    started.then(over, over)
    return started
  }

  /** Gives up the one that is at work, or waits for its turn. */
  giveUp(reason: RaspiError): void {
    this.#cut.abort(reason)
    this.#cut = new AbortController()
  }

  /** Settles when none is at work any more. Never rejects. */
  async over(): Promise<void> {
    await this.#atWork?.catch(() => {})
  }
}
