import { shownPath } from '../host/shown-path.ts'
import type { AnsibleEvent, HostStats, PlayEvent, ResultEvent, StatsEvent, TaskEvent } from './events.ts'
import type { HandlerNotification, NoneChosen, PlayRun, TaskItem, TaskRun } from './run.ts'

/** What is known of a task before it has ended. */
export type StartedTask = Pick<TaskRun, 'name' | 'role' | 'play' | 'action' | 'path' | 'line' | 'handler'>

/** Makes plays and tasks out of events, in memory that grows with the number of tasks and items, not with their output. */
export class Recorder {
  readonly plays: PlayRun[] = []
  readonly tasks: TaskRun[] = []
  readonly notified: HandlerNotification[] = []
  ansible = ''
  /** Ansible's recap, once the playbook has come to its end. */
  stats: Record<string, HostStats> | undefined
  /** By what tasks were chosen, where that was none. */
  noneChosen: NoneChosen | undefined
  /** Why the callback stopped Ansible, where it did. */
  refused: string | undefined
  /** What must not be shown: what the vaults of the repository hold. */
  secrets: string[] = []
  /** The task that began last, and when (a `performance.now()`). */
  current: { task: StartedTask; since: number } | undefined
  readonly #projectDir: string
  readonly #plays = new Map<string, PlayRun>()
  readonly #started = new Map<string, StartedTask>()
  readonly #items = new Map<string, TaskItem[]>()

  /** Paths inside `projectDir` become relative to it. */
  constructor(projectDir: string) {
    this.#projectDir = projectDir
  }

  add(event: AnsibleEvent): void {
    switch (event.event) {
      case 'start':
        this.ansible = event.ansible
        break
      case 'play':
        this.#addPlay(event)
        break
      case 'no_hosts': {
        const play = this.plays.at(-1)
        if (play) play.matched = false
        break
      }
      case 'task':
        this.#startTask(event)
        break
      case 'item': {
        const { task, host, label, status, changed = false, result = {}, diff = [] } = event
        const items = this.#items.get(`${host} ${task}`) ?? []
        items.push({ label, status, changed, result: withLines(result), diff })
        this.#items.set(`${host} ${task}`, items)
        break
      }
      case 'result':
        this.#addResult(event)
        break
      case 'notify': {
        const { name, role, host, path, line } = event
        this.notified.push({ name, ...roleOf(role), ...this.#place(path, line), host })
        break
      }
      case 'secrets':
        this.secrets = event.values
        break
      case 'stats':
        this.stats = event.hosts
        this.noneChosen = noneChosenOf(event)
        break
      case 'refused':
        this.refused = event.reason
        break
    }
  }

  #addPlay({ id, name, hosts, matched: pis, path, line }: PlayEvent): void {
    const known = this.#plays.get(id)
    // A further batch of a play with `serial`.
    if (known) {
      known.pis.push(...pis)
      return
    }
    const play = { name, hosts, ...this.#place(path, line), matched: true, pis: [...pis] }
    this.#plays.set(id, play)
    this.plays.push(play)
  }

  #startTask({ id, name, role, action, handler, path, line }: TaskEvent): void {
    const play = this.plays.at(-1)?.name ?? ''
    const task = {
      name,
      ...roleOf(role),
      play,
      action,
      ...this.#place(path, line),
      handler,
    }
    this.current = { task, since: performance.now() }
    this.#started.set(id, task)
  }

  #addResult(event: ResultEvent): void {
    const task = this.#started.get(event.task)
    if (!task) return
    const key = `${event.host} ${event.task}`
    this.tasks.push({
      ...task,
      host: event.host,
      ...(event.delegate === undefined ? {} : { delegatedTo: event.delegate }),
      runOnce: event.run_once ?? false,
      status: event.status,
      changed: event.changed ?? false,
      ignored: event.status === 'ignored',
      endedAt: event.at,
      durationMs: event.ms ?? 0,
      attempts: event.attempts ?? 1,
      result: withLines(event.result ?? {}),
      cut: event.cut ?? false,
      diff: event.diff ?? [],
      items: this.#items.get(key) ?? [],
      itemsOmitted: event.items_omitted ?? 0,
      warnings: event.warnings ?? [],
      deprecations: event.deprecations ?? [],
    })
    this.#items.delete(key)
  }

  #place(path: string | null, line: number | null): { path?: string; line?: number } {
    if (path === null || line === null) return {}
    return { path: shownPath(path, this.#projectDir), line }
  }
}

function noneChosenOf({ none_chosen: none }: StatsEvent): NoneChosen | undefined {
  if (!none) return undefined
  const { tags, skip_tags: skipTags, start_at: startAt, known, includes } = none
  return { tags, skipTags, ...(startAt === null ? {} : { startAt }), known, ...(includes && { includes }) }
}

const roleOf = (role: string | null) => (role === null ? {} : { role })

// The callback does not send what is only another form of something it sends.
function withLines(result: Record<string, unknown>): Record<string, unknown> {
  for (const name of ['stdout', 'stderr']) {
    const text = result[name]
    if (typeof text === 'string') result[`${name}_lines`] = text === '' ? [] : text.split('\n')
  }
  return result
}
