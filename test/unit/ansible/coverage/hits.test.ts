import { expect, test } from 'vitest'
import { hitsOf, mergeHits } from '../../../../src/ansible/coverage/hits.ts'
import type { TaskItem } from '../../../../src/ansible/run.ts'
import { aRun, aTask } from '../runs.ts'

const noResult = { changed: false, diff: [] }
const hitsOfTask = (task: Parameters<typeof aTask>[0]) =>
  hitsOf([aRun({ tasks: [aTask({ path: 'site.yml', line: 3, ...task })] })])['site.yml']?.[3]

test('a task that ran counts, whatever came of it', () => {
  for (const status of ['ok', 'changed', 'failed', 'rescued', 'ignored'] as const)
    expect(hitsOfTask({ status }), status).toEqual([1, 1, 0])
})

test('a task whose condition did not hold, or whose host could not be reached, has not run', () => {
  const result = { skip_reason: 'Conditional result was False' }
  expect(hitsOfTask({ status: 'skipped', result })).toEqual([0, 0, 1])
  expect(hitsOfTask({ status: 'skipped', result: { censored: 'hidden' } })).toEqual([0, 0, 1])
  expect(hitsOfTask({ status: 'unreachable' })).toEqual([0, 0, 0])
  expect(hitsOfTask({ status: 'ignored', result: { unreachable: true } })).toEqual([0, 0, 0])
  expect(hitsOfTask({ status: 'skipped', result: { skipped_reason: 'No items in the list' } })).toEqual([
    0, 0, 0,
  ])
})

test('a task that its module skipped has run', () => {
  expect(hitsOfTask({ status: 'skipped', result: { msg: 'exists' } })).toEqual([1, 1, 0])
})

test('each item of a loop decides for itself', () => {
  const item = (status: TaskItem['status']) => ({ ...noResult, label: 'x', status, result: {} })
  const items = [item('ok'), item('skipped'), item('changed')]
  expect(hitsOfTask({ status: 'changed', items })).toEqual([1, 2, 1])
  expect(hitsOfTask({ status: 'skipped', items: [item('skipped'), item('skipped')] })).toEqual([0, 0, 2])
})

test('runs add up, but for those in check mode and for files that are not the project’s', () => {
  const task = aTask({ path: 'site.yml', line: 3 })
  const runs = [
    aRun({ tasks: [task, { ...task, host: 'other' }] }),
    aRun({ tasks: [task], check: true }),
    aRun({ tasks: [{ ...task, path: '/usr/share/roles/web/tasks/main.yml' }] }),
  ]
  const hits = hitsOf(runs)
  expect(hits).toEqual({ 'site.yml': { 3: [2, 2, 0] } })
  expect(mergeHits([hits, { 'site.yml': { 3: [0, 0, 1], 4: [1, 1, 0] } }, {}])).toEqual({
    'site.yml': { 3: [2, 2, 1], 4: [1, 1, 0] },
  })
  expect(hits).toEqual({ 'site.yml': { 3: [2, 2, 0] } })
})
