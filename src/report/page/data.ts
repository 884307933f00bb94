// What the report page shows: plain data, written into the page as JSON. Times are in ms, `…At` since the epoch.
// Only types: the page's own scripts, which know nothing of Node, import them too.
import type { PiSummary, RunAccount, TaskAccount } from '../told.ts'

/** All of a run. */
export interface PageData {
  /** When the first test began, and when the run ended. */
  startedAt: number
  endedAt: number
  outcome: 'passed' | 'failed' | 'interrupted'
  tests: PageTest[]
  pis: PagePi[]
  /** The tasks that ran, each once: tests name them by their index here. */
  tasks: PageTask[]
  files: PageFile[]
  /** What was left out because it was too much, in sentences. */
  omitted: string[]
}

/** A test that had Pis, or should have had. */
export interface PageTest {
  /** The test's file, relative to Vitest's root, with the project's name before it where there is one. */
  file: string
  /** With its suites before it. */
  name: string
  state: 'passed' | 'failed' | 'skipped'
  /** Absent of a test that did not run. */
  startedAt?: number
  durationMs: number
  /** How often it was tried again. */
  retries: number
  errors: string[]
  /** Its line in the test file, where its error tells. */
  line?: number
  /** Indices into {@link PageData.pis}. */
  pis: number[]
  runs: PageRun[]
  /** Where its evidence is: a directory as a link from the page, and its files. */
  evidence?: { href: string; names: string[] }
  /** The ends of its consoles and logs, by the names of their files. */
  logs: { name: string; text: string }[]
}

/** A Pi from its request to its end. */
export interface PagePi extends Omit<PiSummary, 'number' | 'run' | 'coldBootMs' | 'queuedMs'> {
  /** Indices into {@link PageData.tests}. */
  tests: number[]
}

/** A playbook's run. */
export interface PageRun extends Omit<RunAccount, 'plays' | 'tasks'> {
  tasks: PageTaskRun[]
}

/** A task or a play as it is written. */
export interface PageTask {
  /** With its role before it. */
  name: string
  kind: 'task' | 'handler'
  /** `roles/web/tasks/main.yml:12` */
  place?: string
  /** An index into {@link PageData.files}, where the file is shown. */
  file?: number
  line?: number
}

/** A task as it went on one host. */
export interface PageTaskRun extends Omit<TaskAccount, 'name' | 'handler' | 'path' | 'line' | 'endedAt'> {
  /** An index into {@link PageData.tasks}. */
  task: number
  /** Since its run's start. */
  endedAfter: number
}

export type PageStatus = TaskAccount['status']

/** A file of playbooks or tasks, with what is known of its lines. */
export interface PageFile {
  /** Relative to Vitest's root where it is part of it. */
  path: string
  text: string
  marks: PageMark[]
}

/** What became of the task that begins at a line. */
export interface PageMark {
  line: number
  /** Its last line. */
  end: number
  /** The worst of what became of it; `missed` of a task that is known to be there and was run by no test. */
  status: PageStatus | 'missed'
  /** How often it ended in what, with each host counted. */
  counts: Partial<Record<PageStatus, number>>
}
