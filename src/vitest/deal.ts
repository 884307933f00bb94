import { createHash } from 'node:crypto'
import type { Timings } from '../report/timings.ts'

/** How test files were shared out. */
export interface Deal {
  /** The shard of each file, from 1 on, in the files' order. */
  shards: number[]
  /** Names what was shared out, and by which timings: shards that belong together have the same. */
  name: string
}

/**
 * Deals test files to `count` shards so that these end together: the longest first, each to the shard that has the least to
 * do so far (Graham's LPT rule, at most a third longer than the best there is: https://doi.org/10.1137/0117039). A file
 * without a timing counts as one of middling length. The same files and timings give the same deal on every machine.
 */
export function deal(files: readonly string[], count: number, timings: Timings): Deal {
  const usual = middleOf(files.flatMap((file) => timings[file] ?? []))
  // Of at least 1 ms: no shard is left without a file while there are enough of them.
  const weighed = files.map((file, index) => ({ file, index, ms: Math.max(1, timings[file] ?? usual) }))
  weighed.sort((a, b) => b.ms - a.ms || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.index - b.index))
  const loads = Array.from({ length: count }, () => 0)
  const shards = files.map(() => 1)
  for (const { index, ms } of weighed) {
    const shard = loads.indexOf(Math.min(...loads))
    loads[shard] = (loads[shard] ?? 0) + ms
    shards[index] = shard + 1
  }
  return {
    shards,
    name: nameOfDeal(
      weighed.map(({ file, ms }) => [file, ms]),
      count,
    ),
  }
}

/** Names how `files` are dealt to `count` shards: with their weights, or without where Vitest deals them. */
export function nameOfDeal(files: readonly unknown[], count: number): string {
  return createHash('sha256')
    .update(JSON.stringify([count, files]))
    .digest('hex')
    .slice(0, 16)
}

/** The median, the upper one of two; 1 of nothing. */
function middleOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 1
}
