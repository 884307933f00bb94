import { expect, test } from 'vitest'
import { doubtsOfShards, type RunPlace } from '../../../src/report/run-place.ts'

const place = (index: number, more: Partial<RunPlace> = {}): RunPlace => ({
  ...{ id: `run-${index}`, root: '/repo', shard: { index, count: 3 }, dealt: 'one' },
  ...more,
})

test('shards that are all there, and were dealt together, are not doubted; a whole run is not either', () => {
  expect(doubtsOfShards([1, 2, 3, 3].map((index) => place(index)))).toEqual([])
  expect(doubtsOfShards([{ id: 'run', root: '/repo' }])).toEqual([])
})

test('a shard that is missing is told', () => {
  expect(doubtsOfShards([place(1), place(3)])).toEqual([
    'The report of shard 2 of 3 is missing: its tests count nowhere.',
  ])
})

test('shards that were dealt differently are told', () => {
  expect(doubtsOfShards([place(1), place(2), place(3, { dealt: 'two' })])).toEqual([
    expect.stringContaining('some tests may have run twice, others not at all'),
  ])
})

test('each environment of several has shards of its own', () => {
  const linux = [1, 2, 3].map((index) => place(index, { label: 'linux', dealt: 'two' }))
  const mac = [1, 2].map((index) => place(index, { label: 'mac' }))
  expect(doubtsOfShards([...linux, ...mac])).toEqual([
    'The report of shard 3 of 3 of mac is missing: its tests count nowhere.',
  ])
})
