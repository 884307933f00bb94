import { setTimeout as delay } from 'node:timers/promises'

/** Whether a Pi has power. One whose system was shut down has none. */
export type PowerState = 'on' | 'off'

/** What can be done to a Pi's power: `off` shuts its system down first, `cut` and `reset` ask nobody. */
export type PowerAction = 'on' | 'off' | 'cut' | 'reset'

/** What is to be waited for. */
export interface PowerOptions {
  /** Whether to wait until the Pi takes commands. @default true */
  wait?: boolean
  /** How long that may take, in ms. @default 300_000 */
  timeoutMs?: number
}

/** What {@link Power} asks of the Pi's lab. */
export interface PowerControl {
  state(): Promise<PowerState>
  /** Without `wait` it does not wait for a first start to come to its end. */
  do(action: PowerAction, wait: boolean): Promise<void>
  /** Waits until the Pi takes commands. */
  up(timeoutMs: number): Promise<void>
}

/** How long a power cycle leaves the Pi without, in ms. */
export const cyclePauseMs = 500

/**
 * A Pi's power. Without it the Pi has what its card holds at that instant: what its system had written is there, what it
 * only had in memory is lost, as on a real card. With it again it boots from that card, which takes about a minute.
 * One that is lost is not switched any more: all but {@link Power.state} throw why.
 */
export class Power {
  readonly #control: PowerControl

  /** @internal */
  constructor(control: PowerControl) {
    this.#control = control
  }

  /** Whether it has power now. */
  state(): Promise<PowerState> {
    return this.#control.state()
  }

  /**
   * Switches it on, and waits until it takes commands. Where it is on, it only waits. Throws a `RaspiError` where it does not come
   * up within `timeoutMs` (default 5 minutes), or its power is cut before it was ever up.
   */
  async on({ wait = true, timeoutMs = 300_000 }: PowerOptions = {}): Promise<void> {
    await this.#control.do('on', wait)
    if (wait) await this.#control.up(timeoutMs)
  }

  /** Shuts its system down, and waits until it is off. Throws a `RaspiError` where it is off already, or does not go off. */
  off(): Promise<void> {
    return this.#control.do('off', true)
  }

  /**
   * Pulls its plug: it is off when this is done. Does nothing where it is off.
   * @example await ansible.playbook('site.yml', { onTask: { 'Install nginx': () => pi.power.cut() } }).catch(() => {})
   */
  cut(): Promise<void> {
    return this.#control.do('cut', true)
  }

  /** Pulls its plug, puts it in again, and waits until it takes commands. Throws as {@link Power.on} does. */
  async cycle(options: PowerOptions = {}): Promise<void> {
    await this.cut()
    await delay(cyclePauseMs)
    await this.on(options)
  }

  /**
   * Resets it without shutting down, and waits until it takes commands. Throws a `RaspiError` where it is off, or does not come
   * up within `timeoutMs` (default 5 minutes).
   */
  async reset({ wait = true, timeoutMs = 300_000 }: PowerOptions = {}): Promise<void> {
    await this.#control.do('reset', wait)
    if (wait) await this.#control.up(timeoutMs)
  }
}
