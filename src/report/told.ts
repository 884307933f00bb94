// What tests with Pis tell the reporter, and it the page: plain data, and types only, because the page's own scripts, which
// know nothing of Node, see them too.
import type { TaskStatus } from '../ansible/events.ts'

/** A Pi that a test had. */
export interface PiSummary {
  /** Its number in this run, and when it was lent, in ms since the epoch: what tells it from all others. */
  number: number
  lentAt: number
  /** In which run, where several are merged, and which shard that was. */
  run?: string
  shard?: string
  name: string
  hostname: string
  origin: 'thawed' | 'booted'
  /** When its test asked for it, and when it was started, in ms since the epoch. */
  askedAt: number
  startedAt: number
  /** From its start to its first login, in ms. */
  startMs: number
  /** How long the Pi it was thawed from took to boot, in ms, where that is known. */
  coldBootMs?: number
  /** How long its test waited for others, in ms. */
  queuedMs: number
  /** The end of the test, in ms since the epoch. */
  usedUntil: number
  /** Set where it was lost before: when, and why, in a sentence. */
  lost?: { at: number; reason: string }
}

/** What the report page is told of a test with Pis, whether it passed or not. */
export interface TestAccount {
  runs: RunAccount[]
  /** The messages of the test's errors. */
  errors: string[]
}

/** A playbook's run, as the report page tells it. */
export interface RunAccount {
  playbook: string
  /** Absent where it did not come to its end. */
  command?: string
  ok: boolean
  check: boolean
  /** `exit code 2`, or why it did not come to its end. */
  outcome: string
  /** In ms since the epoch. */
  startedAt: number
  endedAt: number
  plays: { name: string; path?: string; line?: number }[]
  tasks: TaskAccount[]
  /** How many more tasks there were. */
  omitted: number
}

/** A task on one host, as the report page tells it. */
export interface TaskAccount {
  /** With its role before it. */
  name: string
  handler: boolean
  /** Absolute. */
  path?: string
  line?: number
  /** Empty for a task that was still at work. */
  host: string
  status: TaskStatus | 'at work'
  endedAt: number
  durationMs: number
  message?: string
  diff?: string[]
}
