/**
 * What `callback_plugins/vitest_raspi.py` sends while ansible-playbook runs, one JSON object a line, in the order in which
 * Ansible reports it. Whoever changes the one changes the other, and the version.
 */
export type AnsibleEvent =
  | StartEvent
  | PlayEvent
  | NoHostsEvent
  | TaskEvent
  | ItemEvent
  | RetryEvent
  | ResultEvent
  | NotifyEvent
  | SecretsEvent
  | StatsEvent
  | RefusedEvent

/** The version of these events that this module understands. */
export const eventsVersion = 3

export const taskStatuses = [
  'ok',
  'changed',
  'failed',
  'unreachable',
  'skipped',
  'rescued',
  'ignored',
] as const

/** How a task ended on a host. A failure that a block rescued or that was ignored fails no playbook. */
export type TaskStatus = (typeof taskStatuses)[number]

/** What a task would change or has changed, as its module tells it (with `--diff`; some modules always do). */
export interface TaskDiff {
  before?: string
  after?: string
  before_header?: string
  after_header?: string
  /** A diff the module has made itself. */
  prepared?: string
}

/** Ansible's counts of one host, as in its recap. */
export interface HostStats {
  ok: number
  changed: number
  unreachable: number
  failures: number
  skipped: number
  rescued: number
  ignored: number
}

/** A module's result, without what was hidden by no_log, and with what is too long cut in the middle. */
export type TaskResult = Record<string, unknown>

interface Event<Name extends string> {
  event: Name
  /** When it happened, in ms since the epoch. */
  at: number
}

export interface StartEvent extends Event<'start'> {
  version: number
  /** The version of ansible-core. */
  ansible: string
}

/** A play begins; with `serial` once for each of its batches. */
export interface PlayEvent extends Event<'play'>, Place {
  id: string
  name: string
  /** The play's host pattern, as it is written. */
  hosts: string
  /** The Pis that it matches, of all hosts; with `serial` those of this batch. */
  matched: string[]
}

/** No host of the inventory matches the pattern of the play that has just begun. */
export interface NoHostsEvent extends Event<'no_hosts'> {}

/** A task begins: once for all hosts with the linear strategy, once for each with the free one. */
export interface TaskEvent extends Event<'task'>, Place {
  id: string
  name: string
  role: string | null
  action: string
  handler: boolean
}

/** One round of a loop has ended on one host. */
export interface ItemEvent extends Event<'item'> {
  task: string
  host: string
  label: string
  status: TaskStatus
  changed?: true
  result?: TaskResult
  diff?: TaskDiff[]
}

/** A task with `until` has to be tried again. */
export interface RetryEvent extends Event<'retry'> {
  task: string
  host: string
  attempt: number
  retries: number
}

/** A task has ended on one host. */
export interface ResultEvent extends Event<'result'> {
  task: string
  host: string
  status: TaskStatus
  changed?: true
  /** Since the task was given to a worker, in ms. */
  ms?: number
  /** The host it was delegated to. */
  delegate?: string
  run_once?: true
  /** How often it was tried, for a task with `until`. */
  attempts?: number
  diff?: TaskDiff[]
  warnings?: string[]
  deprecations?: string[]
  result?: TaskResult
  /** `result` or `diff` was too long and is not whole. */
  cut?: true
  /** How many items of its loop were not told of, because there were too many. */
  items_omitted?: number
}

/** A task that changed something has notified a handler, on one host, for the first time since that ran. */
export interface NotifyEvent extends Event<'notify'>, Place {
  name: string
  role: string | null
  host: string
}

/** What the vaults of the repository hold. It stays with whoever masks it, and is not handed on. */
export interface SecretsEvent extends Event<'secrets'> {
  /** The longest first. */
  values: string[]
}

/** The playbook has come to its end, be it with failed tasks. */
export interface StatsEvent extends Event<'stats'> {
  hosts: Record<string, HostStats>
  /** Where plays with Pis have tasks, and none was chosen. */
  none_chosen?: {
    tags: string[]
    skip_tags: string[]
    start_at: string | null
    /** The tags of all tasks, but for those of files that are included while it runs. */
    known: string[]
    /** Whether there are such files. */
    includes?: true
  }
}

/** The callback has stopped Ansible, because it could not make sure that it talks to the leased Pis. */
export interface RefusedEvent extends Event<'refused'> {
  reason: string
}

interface Place {
  /** The absolute path of the file. */
  path: string | null
  line: number | null
}
