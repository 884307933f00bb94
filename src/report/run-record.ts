import { Ansible, type AnsibleContext, type Job } from '../ansible/ansible.ts'
import type { PlaybookOptions } from '../ansible/arguments.ts'
import type { AnsibleEvent } from '../ansible/events.ts'
import { Recorder, type StartedTask } from '../ansible/recorder.ts'
import type { AnsibleRun, PlayRun, TaskRun } from '../ansible/run.ts'
import { type SourcePaths, sourcesOf } from '../ansible/sources.ts'

/** What is kept of one call of `ansible.playbook()`, whether it came to its end or not. */
export interface RunRecord {
  playbook: string
  options: PlaybookOptions
  /** The variables of a play of ours. */
  vars?: unknown
  /** In ms since the epoch. */
  startedAt: number
  /** Absent while it is at work. */
  endedAt?: number
  /** The last 5,000 to 10,000 of them. */
  events: AnsibleEvent[]
  /** What must not be shown: what the vaults of the repository hold. */
  secrets: readonly string[]
  /** Of a run that came to its end. */
  run?: AnsibleRun
  /** What it threw instead. */
  error?: unknown
}

const keptEvents = 10_000

/** An {@link Ansible} that keeps what its runs told, to be looked at when the test has failed. */
export class RecordingAnsible extends Ansible {
  readonly records: RunRecord[] = []
  readonly #context: AnsibleContext
  readonly #onEnd: (record: RunRecord) => void

  /** `onEnd` is told of each run that has ended, however it has. */
  constructor(context: AnsibleContext, onEnd: (record: RunRecord) => void = () => {}) {
    super(context)
    this.#context = context
    this.#onEnd = onEnd
  }

  protected override async perform(job: Job): Promise<AnsibleRun> {
    const { title, options, play } = job
    const record: RunRecord = { playbook: title, options, startedAt: Date.now(), events: [], secrets: [] }
    if (play?.vars) record.vars = play.vars
    this.records.push(record)
    // One Ansible a run: what runs at the same time tells its events apart.
    const ansible = new OneRun({
      ...this.#context,
      onSecrets: (secrets) => {
        record.secrets = secrets
      },
      onEvent: (event) => {
        record.events.push(event)
        if (record.events.length > keptEvents) record.events.splice(0, keptEvents / 2)
      },
    })
    try {
      record.run = await ansible.perform(job)
      return record.run
    } catch (error) {
      record.error = error
      throw error
    } finally {
      record.endedAt = Date.now()
      this.#onEnd(record)
    }
  }
}

class OneRun extends Ansible {
  override perform(job: Job): Promise<AnsibleRun> {
    return super.perform(job)
  }
}

/** The plays and tasks of a run, and the one that it was at when it did not come to its end. */
export function tasksOf(
  { run, events }: RunRecord,
  projectDir: string,
): {
  plays: readonly PlayRun[]
  tasks: readonly TaskRun[]
  current?: StartedTask & { startedAt: number }
} {
  if (run) return run
  const recorder = new Recorder(projectDir)
  for (const event of events) recorder.add(event)
  const startedAt = events.findLast(({ event }) => event === 'task')?.at
  const { plays, tasks, current } = recorder
  if (!current || startedAt === undefined) return { plays, tasks }
  return { plays, tasks, current: { ...current.task, startedAt } }
}

/** What of the repository a run has read. */
export function sourcesOfRun(record: RunRecord, projectDir: string): SourcePaths {
  const { plays, tasks, current } = tasksOf(record, projectDir)
  const places = new Set(
    [...plays, ...tasks, ...(current ? [current] : [])].flatMap(({ path }) => path ?? []),
  )
  const { playbook, options } = record
  return sourcesOf({ playbook, projectDir, places: [...places], args: options.args })
}
