import { isAbsolute, join, relative } from 'node:path'
import type { FailureSummary } from './meta.ts'
import type { TestAccount } from './told.ts'

/** Gives for a path of the machine on which tests ran the same one here. */
export type Relocate = (path: string) => string

/** Finds what lies below `from`, Vitest's root where the tests ran, below `to`, its root here. Other paths stay. */
export function relocation(from: string | undefined, to: string): Relocate {
  if (from === undefined || from === to) return (path) => path
  return (path) => {
    const inside = relative(from, path)
    return inside.startsWith('..') || isAbsolute(inside) ? path : join(to, inside)
  }
}

/** An account whose paths are those here. */
export function relocateAccount(account: TestAccount, here: Relocate): TestAccount {
  const place = <T extends { path?: string }>(at: T): T => (at.path ? { ...at, path: here(at.path) } : at)
  return {
    ...account,
    runs: account.runs.map((run) => ({ ...run, plays: run.plays.map(place), tasks: run.tasks.map(place) })),
  }
}

/** What is known of a failed test, with paths that are those here. */
export function relocateFailure(summary: FailureSummary, here: Relocate): FailureSummary {
  const tasks = summary.tasks.map((task) => (task.path ? { ...task, path: here(task.path) } : task))
  return { ...summary, dir: here(summary.dir), tasks }
}
