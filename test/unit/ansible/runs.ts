import type { AnsibleEvent, ResultEvent, TaskEvent } from '../../../src/ansible/events.ts'
import { AnsibleRun, type AnsibleRunData, type TaskRun } from '../../../src/ansible/run.ts'

/** A run of one play without tasks, changed by `data`. */
export function aRun(data: Partial<AnsibleRunData> = {}): AnsibleRun {
  return new AnsibleRun({
    playbook: 'site.yml',
    command: 'ansible-playbook site.yml',
    ansible: '2.14.18',
    exitCode: 0,
    durationMs: 1000,
    check: false,
    pis: { pi: ['web'] },
    plays: [{ name: 'Web', hosts: 'web', path: 'site.yml', line: 1, matched: true, pis: ['pi'] }],
    tasks: [],
    notified: [],
    stats: {},
    warnings: [],
    deprecations: [],
    stdout: '',
    stderr: '',
    ...data,
  })
}

/** A task of the role `web` that was ok on `pi`, changed by `data`. */
export function aTask(data: Partial<TaskRun> = {}): TaskRun {
  return {
    name: 'Install nginx',
    role: 'web',
    play: 'Web',
    action: 'ansible.builtin.apt',
    path: 'roles/web/tasks/main.yml',
    line: 12,
    host: 'pi',
    runOnce: false,
    handler: false,
    status: 'ok',
    changed: false,
    ignored: false,
    endedAt: 0,
    durationMs: 3100,
    attempts: 1,
    result: {},
    cut: false,
    diff: [],
    items: [],
    itemsOmitted: 0,
    warnings: [],
    deprecations: [],
    ...data,
  }
}

/** The events of a play with one task that starts. */
export function started(task: Partial<TaskEvent> = {}): AnsibleEvent[] {
  return [
    { event: 'start', at: 1, version: 3, ansible: '2.14.18' },
    {
      event: 'play',
      at: 2,
      id: 'p',
      name: 'Web',
      hosts: 'web',
      matched: ['pi'],
      path: '/repo/site.yml',
      line: 1,
    },
    {
      event: 'task',
      at: 3,
      id: 't',
      name: 'Install nginx',
      role: 'web',
      action: 'ansible.builtin.apt',
      path: '/repo/roles/web/tasks/main.yml',
      line: 12,
      handler: false,
      ...task,
    },
  ]
}

/** The event of the task of {@link started} ending on `pi`. */
export function ended(result: Partial<ResultEvent> = {}): ResultEvent {
  return { event: 'result', at: 4, task: 't', host: 'pi', status: 'ok', ms: 20, ...result }
}
