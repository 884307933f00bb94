// What the report page shows: plain data, written into the page as JSON. Times are in ms, `…At` since the epoch.
// Only types: the page's own scripts, which know nothing of Node, import them too.

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
export interface PagePi {
  /** Its name in the inventory. */
  name: string
  hostname: string
  origin: 'thawed' | 'booted'
  /** When its test asked for it, when it was started, was lent, and was done with. */
  askedAt: number
  startedAt: number
  startMs: number
  lentAt: number
  usedUntil: number
  lost?: { at: number; reason: string }
  /** Indices into {@link PageData.tests}. */
  tests: number[]
}

/** A playbook's run. */
export interface PageRun {
  playbook: string
  command?: string
  ok: boolean
  check: boolean
  outcome: string
  startedAt: number
  endedAt: number
  tasks: PageTaskRun[]
  /** How many more tasks there were. */
  omitted: number
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
export interface PageTaskRun {
  /** An index into {@link PageData.tasks}. */
  task: number
  host: string
  status: PageStatus
  /** Since its run's start. */
  endedAfter: number
  durationMs: number
  message?: string
  diff?: string[]
}

export type PageStatus =
  | 'ok'
  | 'changed'
  | 'failed'
  | 'unreachable'
  | 'skipped'
  | 'rescued'
  | 'ignored'
  | 'at work'

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
