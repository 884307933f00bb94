import { expect, test } from 'vitest'
import { failureTasks } from '../../../src/report/failure-tasks.ts'
import { aRun, aTask, started } from '../ansible/runs.ts'
import { aRecord, aSecretTask } from './samples.ts'

const failed = aTask({ status: 'failed', result: { msg: 'No package', stderr: 'E: nginx' } })

test('a test without runs failed because of no task', () => {
  expect(failureTasks([], ['Error'], '/repo', [])).toEqual([])
})

test('the tasks that failed the last run are told, with their absolute path', () => {
  const records = [
    aRecord({ run: aRun({ tasks: [aTask({ name: 'Old', status: 'failed' })] }) }),
    aRecord({ run: aRun({ tasks: [aTask({ name: 'Fine' }), failed] }) }),
  ]
  expect(failureTasks(records, ['no such file'], '/repo', [])).toEqual([
    {
      what: 'failed',
      title: 'TASK [web : Install nginx]',
      path: '/repo/roles/web/tasks/main.yml',
      line: 12,
      host: 'pi',
      durationMs: 3100,
      message: 'No package',
      diff: [],
      told: false,
    },
  ])
})

test('a task that the error tells of is marked, one of the same name at another place is not', () => {
  const records = [aRecord({ run: aRun({ tasks: [failed, aTask({ ...failed, path: 'other.yml' })] }) })]
  const error =
    'expect(run).toSucceed() failed\n\nTASK [web : Install nginx]\n  at roles/web/tasks/main.yml:12\n'
  expect(failureTasks(records, [error], '/repo', []).map(({ told }) => told)).toEqual([true, false])
})

test('changes are told where the error tells of them, as toBeIdempotent does', () => {
  const changed = aTask({ status: 'changed', changed: true, diff: [{ before: 'a\n', after: 'b\n' }] })
  const records = [
    aRecord({ run: aRun({ tasks: [changed, aTask({ name: 'Other', status: 'changed', changed: true })] }) }),
  ]
  const error = 'TASK [web : Install nginx]\n  at roles/web/tasks/main.yml:12'
  expect(failureTasks(records, [error], '/repo', [])).toMatchObject([
    { what: 'changed', told: true, diff: ['--- before', '+++ after', '-a', '+b'] },
  ])
  expect(failureTasks(records, ['no such file'], '/repo', [])).toEqual([])
})

test('a run that did not come to its end tells at which task it was', () => {
  const { run, ...record } = aRecord({
    events: started({ at: 400 }),
    endedAt: 2_400,
    error: new Error('stopped'),
  })
  expect(failureTasks([record], ['Test timed out'], '/repo', [])).toMatchObject([
    { what: 'at work', title: 'TASK [web : Install nginx]', line: 12, durationMs: 2_000, told: false },
  ])
})

test('of a loop the item says why, and of many tasks five are told', () => {
  const item = { label: 'x', status: 'failed' as const, changed: false, result: { msg: 'No x' }, diff: [] }
  const loop = aTask({ status: 'failed', result: { msg: 'One or more items failed' }, items: [item] })
  const records = [aRecord({ run: aRun({ tasks: Array.from({ length: 7 }, () => loop) }) })]
  const tasks = failureTasks(records, [], '/repo', [])
  expect(tasks).toHaveLength(5)
  expect(tasks[0]?.message).toBe('No x')
})

test('nothing is told of a secret: of a private key in a diff no line, of one that a long message is cut at no part', () => {
  const told = failureTasks([aRecord({ run: aRun({ tasks: [aSecretTask()] }) })], [], '/repo', [
    'tok-4711-0815',
  ])
  expect(told[0]?.diff).toEqual(['--- before', '+++ after', '+-----PRIVATE KEY ***-----', '+after'])
  expect(told[0]?.message).not.toMatch(/tok-|0815/)
})
