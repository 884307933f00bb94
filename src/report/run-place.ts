import type { TestModule } from 'vitest/node'

/**
 * In which run a test file ran, and where: what its module tells as `meta.raspiRun`. It goes with Vitest's blob reports, so
 * that whoever merges those of several shards can tell one's Pis from another's.
 */
export interface RunPlace {
  /** No other run's: the numbers of its Pis are its own. */
  id: string
  /** Vitest's root there. */
  root: string
  /** Of one shard of several. */
  shard?: { index: number; count: number }
  /** Names how the test files were dealt to the shards: the same for all shards that belong together. */
  dealt?: string
  /** What Vitest calls the reports of one environment of several. */
  label?: string
}

/** Where a test file ran; nothing where no reporter of ours was there. */
export function placeOf(module: Pick<TestModule, 'meta'>): RunPlace | undefined {
  return module.meta?.().raspiRun
}

/**
 * A sentence for everything that is wrong with the shards that `places` are of: one that is missing, and shards that were
 * dealt their test files in different ways, so that some files ran twice or not at all.
 */
export function doubtsOfShards(places: readonly RunPlace[]): string[] {
  const sharded = places.filter(({ shard }) => shard !== undefined)
  const groups = Map.groupBy(sharded, ({ label = '', shard }) => `${label}\n${shard?.count}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    const count = first?.shard?.count ?? 0
    const of = first?.label ? ` of ${first.label}` : ''
    const there = new Set(group.map(({ shard }) => shard?.index))
    const missing = Array.from({ length: count }, (_, index) => index + 1).filter(
      (index) => !there.has(index),
    )
    const deals = new Set(group.map(({ dealt }) => dealt))
    return [
      ...missing.map(
        (index) => `The report of shard ${index} of ${count}${of} is missing: its tests count nowhere.`,
      ),
      ...(deals.size > 1
        ? [
            `The ${count} shards${of} did not share out the same test files by the same timings: some tests may have run twice, others not at all.`,
          ]
        : []),
    ]
  })
}
