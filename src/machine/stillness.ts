/** How a guest is stopped and let go on: QMP's `stop` and `cont`. */
interface Switch {
  stop(): Promise<unknown>
  go(): Promise<unknown>
}

/** Whether a guest stands still, for those who pause it and for those who only look at it in a moment of their own. */
export class Stillness {
  readonly #switch: Switch
  #isPaused = false

  constructor(guest: Switch) {
    this.#switch = guest
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  async pause(): Promise<void> {
    this.#isPaused = true
    await this.#switch.stop()
  }

  async resume(): Promise<void> {
    this.#isPaused = false
    await this.#switch.go()
  }

  /** Lets `look` have the guest at a standstill. One that is paused already, or is meanwhile, stays so. */
  async during<T>(look: () => Promise<T>): Promise<T> {
    await this.#switch.stop()
    try {
      return await look()
    } finally {
      if (!this.#isPaused) await this.#switch.go()
    }
  }
}
