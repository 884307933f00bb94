import { setTimeout as sleep } from 'node:timers/promises'

/** When the first of such work is done, when the rest at the earliest and when at the latest, in ms since the hand-over. */
const soonMs = 500
const laterMs = 2_000
const latestMs = 20_000

/** What a Pi still does by itself once its holder has it. */
export interface Work {
  /** What its holder might miss, but not with the first command. Part of {@link Work.later}, too. */
  soon(): Promise<unknown>
  /**
   * What takes an emulated core seconds: it is put off until the first command is likely done, and while others wait for
   * their Pis to start.
   */
  later(): Promise<void>
  calm?: Calm | undefined
}

/** Whom such work would disturb. */
export interface Calm {
  /** Waits until nobody waits for a Pi. Rejects with the reason of `signal`. */
  wait(signal: AbortSignal): Promise<void>
  /** Waits for its turn among others with such work, and gives what ends it. Rejects with the reason of `signal`. */
  turn(signal: AbortSignal): Promise<() => void>
}

/** When a Pi does what it still does after its hand-over. */
export class AfterHandOver {
  #hurry = new AbortController()
  #drop = new AbortController()
  #done: Promise<void> = Promise.resolve()

  /** Has work done from now on. What was to be done before is dropped. */
  begin(work: Work): void {
    this.drop()
    this.#hurry = new AbortController()
    this.#drop = new AbortController()
    this.#done = this.#doInTime(work, this.#hurry.signal, this.#drop.signal)
  }

  /** Has everything done at once, and settles when it is. */
  finish(): Promise<void> {
    this.#hurry.abort()
    return this.#done
  }

  /** Leaves undone what has not begun. */
  drop(): void {
    this.#drop.abort()
  }

  async #doInTime({ soon, later, calm }: Work, hurry: AbortSignal, drop: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([hurry, drop, AbortSignal.timeout(latestMs)])
    let leave: (() => void) | undefined
    try {
      await sleep(soonMs, undefined, { signal })
      await soon()
      // Whoever got a Pi meanwhile wants a first command of it as well.
      await calm?.wait(signal)
      await sleep(laterMs - soonMs, undefined, { signal })
      await calm?.wait(signal)
      leave = await calm?.turn(signal)
      // What is at work in a Pi that has ended comes to no end.
      if (leave) drop.addEventListener('abort', leave, { once: true })
    } catch {
      // What comes later does all of it.
    }
    try {
      if (!drop.aborted) await later()
    } finally {
      leave?.()
    }
  }
}
