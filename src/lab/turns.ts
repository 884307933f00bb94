/** Has one thing done after the other, in the order of asking. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #isOver = false

  /** Does `work` once all that was asked for before has come to its end, and settles as it does. After {@link Turns.end} it does nothing. */
  next(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(async () => {
      if (!this.#isOver) await work()
    })
    this.#last = mine.catch(() => {})
    return mine
  }

  /** Lets nothing more begin. Settles when what is being done has come to its end. Never rejects. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#last
  }
}
