import type { TestArtifactBase } from 'vitest'
import type { Hits } from '../ansible/coverage/hits.ts'
import { placeOf, type TaskRun } from '../ansible/run.ts'
import type { RunRecord } from './run-record.ts'
import { tasksOf } from './run-record.ts'
import type { PiSummary } from './told.ts'

/** What each test with Pis tells the reporter, as `task.meta.raspi`: little, because passing tests tell it too. */
export interface RaspiMeta {
  pis: PiSummary[]
  runs: RunSummary[]
  /** What of the project's playbooks ran, where the coverage is wanted. */
  covered?: Hits
}

/** A playbook that a test ran. */
export interface RunSummary {
  playbook: string
  ok: boolean
  durationMs: number
  /** How many tasks ran, with each host counted. */
  tasks: number
  changed: number
  /** The slowest three. */
  slowest: TaskSummary[]
}

/** A task on one host. */
export interface TaskSummary {
  /** With its role before it: `web : Install nginx`. */
  name: string
  place?: string
  durationMs: number
}

/** What is known of a test that failed, besides its error. */
export interface FailureSummary {
  /** The directory with the evidence, absolute. */
  dir: string
  /** The Pis that have said something on their consoles, with the last lines of that. */
  consoles: { pi: string; lines: string[] }[]
  /** The tasks that the failure has to do with. */
  tasks: FailureTask[]
}

/** A task that a failure has to do with. */
export interface FailureTask {
  /** What happened: it failed, it was still at work, or its changes are what the test did not expect. */
  what: 'failed' | 'at work' | 'changed'
  /** As Ansible writes it: `TASK [web : Install nginx]`. */
  title: string
  host?: string
  /** Absolute. */
  path?: string
  line?: number
  durationMs: number
  message: string
  diff: string[]
  /** Whether the test's error tells of it already. */
  told: boolean
}

/** The evidence of a test, as Vitest's reporters get it. */
export interface EvidenceArtifact extends TestArtifactBase {
  type: 'vitest-raspi:evidence'
  summary: FailureSummary
}

/** Adds up a playbook's run. */
export function summariseRun(record: RunRecord, projectDir: string): RunSummary {
  const { tasks } = tasksOf(record, projectDir)
  const done = tasks.filter(({ status }) => status !== 'skipped')
  return {
    playbook: record.playbook,
    ok: record.run?.ok ?? false,
    durationMs: record.run?.durationMs ?? (record.endedAt ?? Date.now()) - record.startedAt,
    tasks: done.length,
    changed: done.filter(({ status }) => status === 'changed').length,
    slowest: slowestOf(done.map(summariseTask)),
  }
}

/** The three slowest of `tasks`, the slowest first. */
export function slowestOf(tasks: readonly TaskSummary[]): TaskSummary[] {
  return tasks.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, 3)
}

/** A Pi of a whole file is told of by each of its tests: the one that ended last knows best. */
export function unitePis(pis: readonly PiSummary[]): PiSummary[] {
  const known = new Map<string, PiSummary>()
  for (const pi of pis) {
    const key = `${pi.run} ${pi.number} ${pi.lentAt}`
    const other = known.get(key)
    if (!other || other.usedUntil < pi.usedUntil) known.set(key, pi)
  }
  return [...known.values()]
}

function summariseTask(task: TaskRun): TaskSummary {
  const place = placeOf(task)
  return {
    name: task.role ? `${task.role} : ${task.name}` : task.name,
    ...(place ? { place } : {}),
    durationMs: task.durationMs,
  }
}
