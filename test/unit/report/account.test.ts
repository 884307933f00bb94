import { expect, test } from 'vitest'
import { accountOf } from '../../../src/report/account.ts'
import { aRun, aTask, started } from '../ansible/runs.ts'
import { aRecord, aSecretTask } from './samples.ts'

test('a run is told with its tasks, their places, changes and messages, without secrets', () => {
  const tasks = [
    aTask({ status: 'changed', diff: [{ before: 'a\n', after: 'tok-4711\n' }] }),
    aTask({ status: 'failed', name: 'Start', line: 20, result: { msg: 'No tok-4711' } }),
  ]
  const { runs, errors } = accountOf(
    [aRecord({ run: aRun({ exitCode: 2, tasks }) })],
    ['Oops tok-4711'],
    '/repo',
    ['tok-4711'],
  )
  expect(errors).toEqual(['Oops ***'])
  expect(runs).toEqual([
    {
      ...{
        playbook: 'site.yml',
        command: 'ansible-playbook site.yml',
        ok: false,
        check: false,
        outcome: 'exit code 2',
      },
      ...{ startedAt: 0, endedAt: 1_000, omitted: 0 },
      plays: [{ name: 'Web', path: '/repo/site.yml', line: 1 }],
      tasks: [
        {
          ...{
            name: 'web : Install nginx',
            handler: false,
            path: '/repo/roles/web/tasks/main.yml',
            line: 12,
          },
          ...{ host: 'pi', status: 'changed', endedAt: 0, durationMs: 3_100 },
          diff: ['--- before', '+++ after', '-a', '+***'],
        },
        {
          ...{ name: 'web : Start', handler: false, path: '/repo/roles/web/tasks/main.yml', line: 20 },
          ...{ host: 'pi', status: 'failed', endedAt: 0, durationMs: 3_100, message: 'No ***' },
        },
      ],
    },
  ])
})

test('a run that was stopped tells why, and at which task that was', () => {
  const { run: _, ...stopped } = aRecord({
    events: started({ at: 400 }),
    error: new Error('site.yml was stopped\nand more'),
  })
  const [run] = accountOf([stopped], [], '/repo', []).runs
  expect(run).toMatchObject({ ok: false, outcome: 'site.yml was stopped' })
  expect(run?.tasks).toMatchObject([
    { name: 'web : Install nginx', status: 'at work', host: '', durationMs: 600 },
  ])
})

test('however long a run is, what is told of it is not; what failed is told first', () => {
  const long = 'x'.repeat(50_000)
  const many = Array.from({ length: 5_000 }, (_, index) =>
    aTask({
      status: index === 4_999 ? 'failed' : 'changed',
      name: `Task ${index}`,
      result: { msg: long },
      diff: [{ before: '', after: `${long}\n` }],
    }),
  )
  const account = accountOf(
    Array.from({ length: 30 }, () => aRecord({ run: aRun({ tasks: many }) })),
    [long],
    '/repo',
    [],
  )
  expect(JSON.stringify(account).length).toBeLessThan(300_000)
  const [run] = account.runs
  expect(run?.tasks.at(-1)).toMatchObject({ name: 'web : Task 4999', status: 'failed' })
  expect(run?.omitted).toBe(4_600)
})

test('nothing is told of a secret: of a private key in a diff no line, of one that a long message is cut at no part', () => {
  const records = [aRecord({ run: aRun({ exitCode: 2, tasks: [aSecretTask()] }) })]
  const errors = [`${'x'.repeat(1_995)}tok-4711-0815${'x'.repeat(8_000)}`]
  const account = accountOf(records, errors, '/repo', ['tok-4711-0815'])
  expect(account.runs[0]?.tasks[0]?.diff).toEqual([
    ...['--- before', '+++ after', '+-----PRIVATE KEY ***-----', '+after'],
  ])
  expect(JSON.stringify(account)).not.toMatch(/tok-|0815/)
})
