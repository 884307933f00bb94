import { expect, test, vi } from 'vitest'
import type { TaskEvent } from '../../../src/ansible/events.ts'
import { TaskActionsAtWork } from '../../../src/ansible/task-actions.ts'

const task = (name: string, role: string | null = null) => ({ event: 'task', name, role }) as TaskEvent

test('an action is done once, with the task, and waited for', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const action = vi.fn(() => promise)
  const actions = new TaskActionsAtWork({ 'Install nginx': action }, () => {})
  for (const name of ['Install nginx', 'Start nginx', 'Install nginx']) actions.hear(task(name))
  expect(action.mock.calls).toEqual([[task('Install nginx')]])
  const done = actions.done()
  expect(await Promise.race([done.then(() => 'done'), 'waits'])).toBe('waits')
  resolve()
  await done
  actions.assertAllBegan()
})

test('a task of a role goes by its name, and by what Ansible shows of it', async () => {
  const [short, shown, other] = [vi.fn(), vi.fn(), vi.fn()]
  const actions = new TaskActionsAtWork(
    { Install: short, 'web : Install': shown, 'db : Install': other },
    () => {},
  )
  actions.hear(task('Install', 'web'))
  await actions.done()
  expect([short, shown, other].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0])
  expect(() => actions.assertAllBegan()).toThrow(/“db : Install” began in this run\.\n.*: web : Install\.$/)
})

test('what an action throws stops the playbook, and is thrown', async () => {
  const onFailure = vi.fn()
  const fails = () => {
    throw new Error('no power')
  }
  const actions = new TaskActionsAtWork({ Cut: fails }, onFailure)
  actions.hear(task('Cut'))
  await expect(actions.done()).rejects.toThrow('no power')
  expect(onFailure).toHaveBeenCalledOnce()
})

test('a task that has not begun is named, beside those that have', () => {
  const actions = new TaskActionsAtWork({ Instal: () => {} }, () => {})
  for (const name of ['Install', 'Start', 'Start']) actions.hear(task(name))
  expect(() => actions.assertAllBegan()).toThrow(
    /^onTask: no task called “Instal” began in this run\.\n.*: Install, Start\.$/,
  )
})
