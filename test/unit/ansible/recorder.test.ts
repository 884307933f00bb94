import { expect, test } from 'vitest'
import type { AnsibleEvent } from '../../../src/ansible/events.ts'
import { Recorder } from '../../../src/ansible/recorder.ts'
import { ended, started } from './runs.ts'

function record(...events: AnsibleEvent[]): Recorder {
  const recorder = new Recorder('/repo')
  for (const event of events) recorder.add(event)
  return recorder
}

test('a task on two hosts is two entries, with the place relative to the project', () => {
  const { tasks } = record(
    ...started(),
    ended(),
    ended({ host: 'pi2', status: 'changed', changed: true, attempts: 2 }),
  )
  expect(tasks).toHaveLength(2)
  expect(tasks[0]).toMatchObject({
    name: 'Install nginx',
    role: 'web',
    play: 'Web',
    path: 'roles/web/tasks/main.yml',
    line: 12,
    host: 'pi',
    status: 'ok',
    durationMs: 20,
    attempts: 1,
  })
  expect(tasks[1]).toMatchObject({ host: 'pi2', status: 'changed', changed: true, attempts: 2 })
})

test('a file outside of the project keeps its whole path', () => {
  const { tasks } = record(...started({ path: '/usr/share/ansible/roles/x/tasks/main.yml' }), ended())
  expect(tasks[0]?.path).toBe('/usr/share/ansible/roles/x/tasks/main.yml')
})

test('the items of a loop go to the task and host they belong to', () => {
  const item = (host: string, label: string): AnsibleEvent => ({
    event: 'item',
    at: 4,
    task: 't',
    host,
    label,
    status: 'ok',
  })
  const { tasks } = record(
    ...started(),
    item('pi', 'a'),
    item('pi2', 'b'),
    item('pi', 'c'),
    ended(),
    ended({ host: 'pi2' }),
  )
  expect(tasks.map(({ items }) => items.map(({ label }) => label))).toEqual([['a', 'c'], ['b']])
})

test('a handler that runs a second time does not get the items of the first', () => {
  const item: AnsibleEvent = { event: 'item', at: 4, task: 't', host: 'pi', label: 'a', status: 'ok' }
  const { tasks } = record(...started({ handler: true }), item, ended(), ended())
  expect(tasks.map(({ items }) => items.length)).toEqual([1, 0])
})

test('the batches of a play with serial are one play, with the Pis of all', () => {
  const play = {
    event: 'play' as const,
    at: 2,
    id: 'p',
    name: 'Web',
    hosts: 'web',
    path: null,
    line: null,
  }
  const { plays } = record({ ...play, matched: ['web1'] }, { ...play, matched: ['web2'] })
  expect(plays).toMatchObject([{ name: 'Web', pis: ['web1', 'web2'] }])
})

test('a play that matches no host is known as such', () => {
  expect(record(...started(), { event: 'no_hosts', at: 5 }).plays[0]?.matched).toBe(false)
})

test('stdout comes as lines too, as Ansible has it', () => {
  const { tasks } = record(...started(), ended({ result: { stdout: 'a\nb', stderr: '' } }))
  expect(tasks[0]?.result).toMatchObject({ stdout_lines: ['a', 'b'], stderr_lines: [] })
})

test('the task at work is the one that began last', () => {
  expect(record(...started()).current?.task).toMatchObject({
    name: 'Install nginx',
    path: 'roles/web/tasks/main.yml',
  })
})

test('handlers that were notified are kept with their place, vaults’ contents and what a long loop left out, too', () => {
  const place = { path: '/repo/roles/web/handlers/main.yml', line: 1 }
  const recorder = record(
    ...started(),
    { event: 'secrets', at: 3, values: ['hunter2'] },
    { event: 'notify', at: 4, name: 'Restart', role: 'web', host: 'pi', ...place },
    ended({ items_omitted: 7 }),
  )
  expect(recorder.notified).toEqual([
    { name: 'Restart', role: 'web', path: 'roles/web/handlers/main.yml', line: 1, host: 'pi' },
  ])
  expect(recorder.secrets).toEqual(['hunter2'])
  expect(recorder.tasks[0]?.itemsOmitted).toBe(7)
})
