/** What is looked for once, when it is wanted first, be it there or not: else everybody would wait for the same failure. */
export class Sought<T> {
  #found: Promise<T> | undefined

  /** What was found; nothing where nobody has wanted it yet. */
  get found(): Promise<T> | undefined {
    return this.#found
  }

  /** What is found by `look`, or was found before. */
  find(look: () => Promise<T>): Promise<T> {
    this.#found ??= look()
    return this.#found
  }

  /** Looks anew, when it is wanted next, where it was missing. */
  lookAnew(): void {
    this.#found?.catch(() => {
      this.#found = undefined
    })
  }
}
