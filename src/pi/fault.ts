/** Something that was broken on purpose. */
export interface Fault {
  /** What it is, in words. */
  readonly description: string
  /** Mends it, once; a second call does nothing. Throws a `RaspiError` where that cannot be done. */
  undo(): Promise<void>
  /** `await using` mends it at the end of its block. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Keeps account of faults, so that none outlives the test that made it. */
export class FaultsAtWork {
  readonly #faults = new Set<Fault>()

  /** A fault that `mend` mends. */
  add(description: string, mend: () => Promise<unknown>): Fault {
    const undo = async () => {
      if (this.#faults.delete(fault)) await mend()
    }
    const fault: Fault = { description, undo, [Symbol.asyncDispose]: undo }
    this.#faults.add(fault)
    return fault
  }

  /** Mends all that is still broken, the last first. */
  async clear(): Promise<void> {
    for (const fault of [...this.#faults].reverse()) await fault.undo()
  }
}
