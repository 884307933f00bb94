import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { closingBlock } from '../../../src/report/closing-block.ts'
import { aPi, aRunSummary } from './samples.ts'

const block = (...args: Parameters<typeof closingBlock>) =>
  stripVTControlCharacters(closingBlock(...args).join('\n'))

test('a run without Pis is closed by nothing', () => {
  expect(closingBlock([])).toEqual([])
})

test('Pis of several runs are several, also with the same number at the same time', () => {
  const metas = ['one', 'two', 'two'].map((run) => ({ pis: [aPi({ run })], runs: [] }))
  expect(block(metas)).toContain('2 thawed in 2.9 s each (median); at most 2 at once')
})

test('a run is closed by what its Pis and playbooks took', () => {
  const install = { name: 'web : Install nginx', place: 'roles/web/tasks/main.yml:12', durationMs: 12_300 }
  const metas = [
    { pis: [aPi()], runs: [aRunSummary({ slowest: [{ name: 'Ping', durationMs: 400 }] })] },
    {
      pis: [aPi({ number: 2, lentAt: 5_000, usedUntil: 8_000, startMs: 3_300 })],
      runs: [aRunSummary({ ok: false, slowest: [install] }), aRunSummary({ tasks: 1, changed: 0 })],
    },
    {
      pis: [aPi({ number: 3, lentAt: 11_000, usedUntil: 12_000, origin: 'booted', startMs: 62_000 })],
      runs: [],
    },
  ]
  expect(block(metas)).toMatchInlineSnapshot(`
    "        Pis  2 thawed in 3.1 s each (median), 1 booted in 1 min 2 s; at most 2 at once
      Playbooks  3 runs (1 failed) in 1 min 0 s, 21 tasks, 4 changed
        Slowest  12 s  web : Install nginx (roles/web/tasks/main.yml:12)
                 0.4 s  Ping"
  `)
})

test('a Pi of a whole file counts once, until its last test', () => {
  const metas = [
    { pis: [aPi({ usedUntil: 20_000 })], runs: [] },
    { pis: [aPi({ usedUntil: 30_000 })], runs: [] },
    { pis: [aPi({ number: 2, lentAt: 25_000, usedUntil: 26_000 })], runs: [] },
  ]
  expect(block(metas)).toContain('2 thawed in 2.9 s each (median); at most 2 at once')
})

test('a Pi of the same number in another project is another', () => {
  const metas = [
    { pis: [aPi()], runs: [] },
    { pis: [aPi({ lentAt: 1_001 })], runs: [] },
  ]
  expect(block(metas)).toContain('2 thawed')
})

test('waiting for others is told where it took a second', () => {
  expect(block([{ pis: [aPi({ queuedMs: 999 })], runs: [] }])).not.toContain('waited')
  expect(block([{ pis: [aPi({ queuedMs: 4_000 })], runs: [] }])).toContain(
    '; waited 4.0 s for others at most',
  )
})
