import type { TestSequencer, TestSequencerConstructor, TestSpecification, Vitest } from 'vitest/node'
import { readTimings, timingKey } from '../report/timings.ts'
import { deal, nameOfDeal } from './deal.ts'

/** How the test files of a run were dealt to its shards. */
const deals = new WeakMap<Vitest, string>()

/** Names how the test files of a sharded run were dealt, once they were. */
export function dealOf(vitest: Vitest): string | undefined {
  return deals.get(vitest)
}

/**
 * Lets `vitest` deal its test files to shards by the timings in the first of `timingsFiles` that is there. Where the user
 * has a sequencer of their own, or wants the files shuffled, that stays; where there are no timings, Vitest deals.
 */
export function dealByTimings(vitest: Vitest, timingsFiles: readonly string[]): void {
  const { shard, sequence } = vitest.config
  // By its name: a linked package sees another copy of Vitest's module. https://vitest.dev/config/sequence
  if (!shard || sequence.sequencer.name !== 'BaseSequencer') return
  sequence.sequencer = sequencerByTimings(sequence.sequencer, timingsFiles)
}

/** The class of sequencers that do as `Base` does, but deal by timings. */
export function sequencerByTimings(
  Base: TestSequencerConstructor,
  timingsFiles: readonly string[],
): TestSequencerConstructor {
  return class SequencerByTimings implements TestSequencer {
    readonly #vitest: Vitest
    readonly #base: TestSequencer

    constructor(vitest: Vitest) {
      this.#vitest = vitest
      this.#base = new Base(vitest)
    }

    async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return this.#base.sort(files)
    }

    async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
      const { shard, root } = this.#vitest.config
      if (!shard) return files
      const keys = files.map(({ project, moduleId }) => timingKey(root, project.name, moduleId))
      const timings = timingsFiles.map(readTimings).find((found) => found !== undefined)
      if (typeof timings === 'string') this.#vitest.logger.log(`[raspi] ${timings}`)
      if (typeof timings !== 'object' || !keys.some((key) => key in timings)) {
        deals.set(this.#vitest, nameOfDeal(keys.toSorted(), shard.count))
        return this.#base.shard(files)
      }
      const { shards, name } = deal(keys, shard.count, timings)
      deals.set(this.#vitest, name)
      return files.filter((_, index) => shards[index] === shard.index)
    }
  }
}
