/** Something that was broken on purpose. */
export interface Fault {
  /** What it is, in words. */
  readonly description: string
  /**
   * Mends it, once; a second call does nothing. Throws a `RaspiError` where that cannot be done: it is still broken then, and
   * can be mended later.
   */
  undo(): Promise<void>
  /** `await using` mends it at the end of its block. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Keeps account of faults, so that none outlives the test that made it. */
export class FaultsAtWork {
  readonly #faults = new Set<Fault>()

  /** A fault that `mend` mends. */
  add(description: string, mend: () => Promise<unknown>): Fault {
    let mending: Promise<unknown> | undefined
    const undo = async () => {
      if (!this.#faults.has(fault)) return
      mending ??= mend().finally(() => {
        mending = undefined
      })
      await mending
      this.#faults.delete(fault)
    }
    const fault: Fault = { description, undo, [Symbol.asyncDispose]: undo }
    this.#faults.add(fault)
    return fault
  }

  /** Mends all that is still broken, the last first. Throws what the first threw that cannot be mended, after it has tried all. */
  async clear(): Promise<void> {
    const errors: unknown[] = []
    for (const fault of [...this.#faults].reverse()) await fault.undo().catch((error) => errors.push(error))
    if (errors.length > 0) throw errors[0]
  }
}
