import type { HostStats, TaskDiff, TaskResult, TaskStatus } from './events.ts'

/** A play of a run. */
export interface PlayRun {
  name: string
  /** The host pattern, as it is written. */
  hosts: string
  /** Relative to the project where the file is part of it. */
  path?: string
  line?: number
  /** Whether any host of the inventory matched. A play that matches none does nothing, and Ansible calls that a success. */
  matched: boolean
  /** The Pis among them. */
  pis: string[]
}

/** One round of a task's loop. */
export interface TaskItem {
  /** What Ansible shows of the item: its label, cut to 200 characters. */
  label: string
  status: TaskStatus
  changed: boolean
  /** Empty for the later items of long loops: all items of a loop share 256 KiB. */
  result: TaskResult
  diff: TaskDiff[]
}

/** A handler that was notified on a host. */
export interface HandlerNotification {
  name: string
  role?: string
  /** Relative to the project where the file is part of it. */
  path?: string
  line?: number
  host: string
}

/** By what the tasks of a run were chosen, where plays have some and that was none of them. */
export interface NoneChosen {
  tags: string[]
  skipTags: string[]
  /** The name of the task to start at. */
  startAt?: string
  /** The tags of all tasks, but for those of files that are included while it runs. */
  known: string[]
  /** Whether there are such files. */
  includes?: true
}

/** A task on one host, as it went. */
export interface TaskRun {
  /** Without the role that Ansible writes before it; the module's name where the task has none. */
  name: string
  role?: string
  /** The name of the play. */
  play: string
  /** The module, fully qualified where Ansible knows it so. */
  action: string
  /** Relative to the project where the file is part of it. */
  path?: string
  line?: number
  host: string
  /** The host it was delegated to. */
  delegatedTo?: string
  runOnce: boolean
  handler: boolean
  status: TaskStatus
  changed: boolean
  /** Whether it failed, or its host could not be reached, and the playbook says to go on. */
  ignored: boolean
  /** When it ended, in ms since the epoch. */
  endedAt: number
  durationMs: number
  /** How often it was tried; 1 for a task without `until`. */
  attempts: number
  /** The module's result. Strings of more than 64 KiB are cut in the middle; with no_log it holds only `censored`. */
  result: TaskResult
  /** Whether `result` or `diff` is not whole, because it was too long. */
  cut: boolean
  diff: TaskDiff[]
  /** Of a loop the first 10,000, and of those beyond that the first 100 that failed. */
  items: TaskItem[]
  /** How many items there were besides `items`. */
  itemsOmitted: number
  warnings: string[]
  deprecations: string[]
}

/** What an {@link AnsibleRun} is made of: plain data, which JSON and `structuredClone` carry. */
export interface AnsibleRunData {
  /** The playbook, as it was given. */
  playbook: string
  /** The command line, quoted for a shell. */
  command: string
  /** The version of ansible-core. */
  ansible: string
  exitCode: number
  durationMs: number
  check: boolean
  /** The Pis that there were to work on, by name, with their groups. */
  pis: Record<string, string[]>
  plays: PlayRun[]
  /** In the order in which they ended: one entry for each task and host. */
  tasks: TaskRun[]
  /** Handlers that tasks have notified, whether they came to run or not. */
  notified: HandlerNotification[]
  /** Ansible's recap, by host. */
  stats: Record<string, HostStats>
  /**
   * Where plays with Pis have tasks, and tags, or the task to start at, chose none of them: by what they were chosen. Ansible
   * calls that a success.
   */
  noneChosen?: NoneChosen | undefined
  /** What Ansible warned of. */
  warnings: string[]
  deprecations: string[]
  /** What the user would have seen, with what vaults hold masked; of more than 1 MiB the beginning and the end. */
  stdout: string
  stderr: string
}

/** One execution of ansible-playbook that came to its end, with or without failed tasks. */
export class AnsibleRun implements AnsibleRunData {
  declare readonly playbook: string
  declare readonly command: string
  declare readonly ansible: string
  declare readonly exitCode: number
  declare readonly durationMs: number
  declare readonly check: boolean
  declare readonly pis: Record<string, string[]>
  declare readonly plays: PlayRun[]
  declare readonly tasks: TaskRun[]
  declare readonly notified: HandlerNotification[]
  declare readonly stats: Record<string, HostStats>
  declare readonly noneChosen?: NoneChosen | undefined
  declare readonly warnings: string[]
  declare readonly deprecations: string[]
  declare readonly stdout: string
  declare readonly stderr: string

  constructor(data: AnsibleRunData) {
    Object.assign(this, data)
  }

  /** Whether the playbook succeeded: exit code 0. */
  get ok(): boolean {
    return this.exitCode === 0
  }

  /** Whether a Pi was worked on: a play matched one, or a task was delegated to one. A check of the syntax needs none. */
  get hadPi(): boolean {
    return (
      this.plays.some(({ pis }) => pis.length > 0) ||
      this.tasks.some(({ delegatedTo }) => delegatedTo !== undefined && delegatedTo in this.pis) ||
      / --syntax-check\b/.test(this.command)
    )
  }

  /** The tasks that changed something, or in check mode would; those Ansible's recap counts. */
  get changed(): TaskRun[] {
    return this.tasks.filter(
      ({ changed, status }) => changed && (status === 'changed' || status === 'ignored'),
    )
  }

  /** The tasks that failed the playbook: neither ignored nor rescued. */
  get failed(): TaskRun[] {
    return this.tasks.filter(({ status }) => status === 'failed' || status === 'unreachable')
  }
}

/** The Pis of a run, each with its groups: `web (webservers), db`. */
export function describePis({ pis }: Pick<AnsibleRunData, 'pis'>): string {
  return Object.entries(pis)
    .map(([name, groups]) => (groups.length > 0 ? `${name} (${groups.join(', ')})` : name))
    .join(', ')
}

/** Why no task was chosen: `no task has the tag nginxx`. */
export function describeNoneChosen({ tags, skipTags, startAt }: NoneChosen): string {
  const list = (names: string[]) => `the tag${names.length === 1 ? '' : 's'} ${names.join(', ')}`
  if (startAt !== undefined) return `no task is called “${startAt}”`
  if (tags.length === 0) return `every task is skipped by ${list(skipTags)}`
  const which = tags.length === 1 ? list(tags) : `any of ${list(tags)}`
  return `no task has ${which}${skipTags.length > 0 ? ` and is not skipped by ${list(skipTags)}` : ''}`
}

/** What tags there are instead. */
export function describeTags({ tags, known, includes }: NoneChosen): string {
  const more =
    includes && tags.length > 0
      ? ' (files that are included while it runs are not looked into: the include itself needs the tag)'
      : ''
  return `Tags there are: ${known.join(', ') || 'none'}${more}`
}

/** The title of a task as Ansible writes it: `TASK [web : Install nginx]`. */
export function titleOf({ name, role, handler }: Pick<TaskRun, 'name' | 'role' | 'handler'>): string {
  return `${handler ? 'RUNNING HANDLER' : 'TASK'} [${role ? `${role} : ` : ''}${name}]`
}

/** Where a task or play is written: `roles/web/tasks/main.yml:12`. */
export function placeOf({ path, line }: { path?: string; line?: number }): string | undefined {
  return path && line ? `${path}:${line}` : path
}

/** A task with its place: `TASK [web : Install nginx] (roles/web/tasks/main.yml:12)`. */
export function describeTask(task: Pick<TaskRun, 'name' | 'role' | 'handler' | 'path' | 'line'>): string {
  const place = placeOf(task)
  return titleOf(task) + (place ? ` (${place})` : '')
}
