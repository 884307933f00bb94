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

const mostFailures = 2

/** Keeps account of faults, so that none outlives the test that made it. */
export class FaultsAtWork {
  readonly #faults = new Set<Fault>()
  /** How often {@link clear} has tried those in vain. */
  readonly #failures = new WeakMap<Fault, number>()

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

  /**
   * Mends all that is still broken, the last first. Throws what the first threw that cannot be mended, after it has tried all:
   * it tries them once more the next time, and then only `undo()` does, for it may take a minute where a Pi does not answer.
   */
  async clear(): Promise<void> {
    const errors: unknown[] = []
    for (const fault of [...this.#faults].reverse()) {
      const failures = this.#failures.get(fault) ?? 0
      if (failures === mostFailures) continue
      await fault.undo().catch((error) => {
        errors.push(error)
        this.#failures.set(fault, failures + 1)
      })
    }
    if (errors.length > 0) throw errors[0]
  }
}
