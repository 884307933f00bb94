import { expect, test } from 'vitest'
import { deal, nameOfDeal } from '../../../src/vitest/deal.ts'

const files = ['a', 'b', 'c', 'd', 'e', 'f']
const timings = { a: 60_000, b: 50_000, c: 40_000, d: 30_000, e: 20_000, f: 10_000 }

/** What each shard has to do, in ms. */
const loads = (shards: readonly number[], count: number) =>
  Array.from({ length: count }, (_, shard) =>
    files.reduce((sum, file, index) => {
      return shards[index] === shard + 1 ? sum + timings[file as keyof typeof timings] : sum
    }, 0),
  )

test('shards have as much to do as each other', () => {
  expect(loads(deal(files, 3, timings).shards, 3)).toEqual([70_000, 70_000, 70_000])
  expect(loads(deal(files, 2, timings).shards, 2).toSorted()).toEqual([100_000, 110_000])
})

test('one file that takes longer than all others has a shard of its own', () => {
  const { shards } = deal(files, 2, { ...timings, a: 600_000 })
  expect(shards).toEqual([1, 2, 2, 2, 2, 2])
})

test('the deal does not depend on the order of the files, nor on what else was timed', () => {
  const dealt = deal(files, 3, timings)
  const back = deal(files.toReversed(), 3, { z: 1_000_000, ...timings })
  expect(back.shards.toReversed()).toEqual(dealt.shards)
  expect(back.name).toBe(dealt.name)
})

test('a file without a timing counts as a middling one', () => {
  const { shards } = deal(['new', 'a', 'b', 'f'], 2, timings)
  // 60, 50, 50 and 10: the two of 50 together, unless the new one counted as nothing or as the most.
  expect(shards).toEqual([2, 1, 2, 1])
})

test('no shard is left without a file while there are enough', () => {
  const { shards } = deal(files, 6, Object.fromEntries(files.map((file) => [file, 0])))
  expect(shards.toSorted()).toEqual([1, 2, 3, 4, 5, 6])
})

test('other timings, files or counts are another deal', () => {
  const names = [
    deal(files, 3, timings).name,
    deal(files, 3, { ...timings, a: 61_000 }).name,
    deal(files.slice(1), 3, timings).name,
    deal(files, 2, timings).name,
    nameOfDeal(files, 3),
  ]
  expect(new Set(names).size).toBe(names.length)
})
