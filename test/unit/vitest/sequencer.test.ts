import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { test as base, expect } from 'vitest'
import {
  BaseSequencer,
  type TestSequencerConstructor,
  type TestSpecification,
  type Vitest,
} from 'vitest/node'
import { dealByTimings, dealOf } from '../../../src/vitest/sequencer.ts'

const test = base.extend('root', async ({}, { onCleanup }) => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  onCleanup(cleanup)
  return path
})

const names = ['a.test.ts', 'b.test.ts', 'c.test.ts', 'd.test.ts']

interface Given {
  root: string
  sequencer?: TestSequencerConstructor
  /** The names of the files that may have timings. */
  from?: string[]
}

/** A Vitest that runs one of two shards. */
function shardOf(index: number, { root, sequencer = BaseSequencer, from = ['timings.json'] }: Given) {
  const said: string[] = []
  const vitest = {
    config: { root, shard: { index, count: 2 }, sequence: { sequencer } },
    logger: { log: (line: string) => said.push(line) },
  } as unknown as Vitest
  dealByTimings(
    vitest,
    from.map((name) => join(root, name)),
  )
  return { vitest, said }
}

async function filesOf(index: number, given: Given) {
  const { vitest, said } = shardOf(index, given)
  const files = names.map((name) => {
    return { moduleId: join(given.root, name), project: { name: '' } } as unknown as TestSpecification
  })
  const mine = await new vitest.config.sequence.sequencer(vitest).shard(files)
  return {
    files: mine.map(({ moduleId }) => moduleId.slice(given.root.length + 1)),
    deal: dealOf(vitest),
    said,
  }
}

const timed = (files: Record<string, number>) => JSON.stringify({ version: 1, files })

test('shards get what takes them equally long, and all of it once', async ({ root }) => {
  writeFileSync(
    join(root, 'timings.json'),
    timed({ 'a.test.ts': 9_000, 'b.test.ts': 3_000, 'c.test.ts': 3_000, 'd.test.ts': 3_000 }),
  )
  const [one, two] = [await filesOf(1, { root }), await filesOf(2, { root })]
  expect(one.files).toEqual(['a.test.ts'])
  expect(two.files).toEqual(['b.test.ts', 'c.test.ts', 'd.test.ts'])
  expect(one.deal).toBe(two.deal)
})

test('the first file that is there counts', async ({ root }) => {
  const from = ['committed.json', 'timings.json']
  writeFileSync(join(root, 'timings.json'), timed({ 'a.test.ts': 9_000 }))
  const before = await filesOf(1, { root, from })
  writeFileSync(join(root, 'committed.json'), timed({ 'd.test.ts': 9_000, 'a.test.ts': 1 }))
  const after = await filesOf(1, { root, from })
  expect(before.files).toContain('a.test.ts')
  expect(after.files).toContain('d.test.ts')
  expect(after.deal).not.toBe(before.deal)
})

test('without timings, and with a file that has none, Vitest deals; shards that do not know the same differ', async ({
  root,
}) => {
  const { vitest } = shardOf(1, { root })
  const ofVitest = await new BaseSequencer(vitest).shard(
    names.map((name) => ({ moduleId: join(root, name) }) as unknown as TestSpecification),
  )
  const none = await filesOf(1, { root })
  expect(none.files).toEqual(ofVitest.map(({ moduleId }) => moduleId.slice(root.length + 1)))
  writeFileSync(join(root, 'timings.json'), '{ "files": 3 }')
  const broken = await filesOf(1, { root })
  expect(broken.files).toEqual(none.files)
  expect(broken.said.join('\n')).toMatch(/timings\.json is not used/)
  writeFileSync(join(root, 'timings.json'), timed({ 'a.test.ts': 9_000 }))
  expect((await filesOf(2, { root })).deal).not.toBe(none.deal)
})

test('a sequencer of the user stays', ({ root }) => {
  class Mine extends BaseSequencer {}
  expect(shardOf(1, { root, sequencer: Mine }).vitest.config.sequence.sequencer).toBe(Mine)
})

test('files are sorted as Vitest sorts them', async ({ root }) => {
  class Base {
    async sort(files: TestSpecification[]) {
      return files.toReversed()
    }
    async shard(files: TestSpecification[]) {
      return files
    }
  }
  Object.defineProperty(Base, 'name', { value: 'BaseSequencer' })
  const { vitest } = shardOf(1, { root, sequencer: Base as unknown as TestSequencerConstructor })
  const files = ['a', 'b'] as unknown as TestSpecification[]
  expect(await new vitest.config.sequence.sequencer(vitest).sort(files)).toEqual(['b', 'a'])
})
