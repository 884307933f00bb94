/** How a test stands to those after it. */
export interface StageOptions {
  /** Skips the test, with a note: of its context. */
  skip: (note: string) => never
  /** Whether the tests after it build on it, and are skipped where it failed. @default false */
  ground?: boolean
  /** Whether it is done though the ground is missing. @default false */
  always?: boolean
}

/**
 * Tests that build on each other: gives the function that does the `work` of one of them, or skips it where its ground is
 * missing. What a `retry` does again counts anew.
 */
export function stages(): (title: string, options: StageOptions, work: () => Promise<void>) => Promise<void> {
  const missing = new Set<string>()
  return async (title, { skip, ground = false, always = false }, work) => {
    missing.delete(title)
    const [first] = missing
    if (first !== undefined && !always) skip(`because "${first}" failed`)
    // Until it is through: a test that times out does not come back.
    if (ground) missing.add(title)
    await work()
    missing.delete(title)
  }
}
