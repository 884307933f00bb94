import type { AnsibleRun, TaskRun } from '../run.ts'

/** What became of a task over several runs and hosts: how often it ran, and how its `when` went, each item counted. */
export type TaskHits = [ran: number, taken: number, skipped: number]

/** What ran, by the file, relative to the project, and the line of each task. */
export type Hits = Record<string, Record<number, TaskHits>>

/** Adds up which tasks of the project `runs` came to. Runs in check mode do nothing, and count for nothing. */
export function hitsOf(runs: readonly Pick<AnsibleRun, 'tasks' | 'check'>[]): Hits {
  const hits: Hits = {}
  for (const { tasks, check } of runs) {
    if (check) continue
    for (const task of tasks) {
      const { path, line } = task
      // An absolute path is not the project's.
      if (path === undefined || line === undefined || path.startsWith('/')) continue
      add(hits, path, line, countsOf(task))
    }
  }
  return hits
}

/** Adds up hits of several tests. */
export function mergeHits(all: readonly Hits[]): Hits {
  const merged: Hits = {}
  for (const hits of all) {
    for (const [path, lines] of Object.entries(hits)) {
      for (const [line, counts] of Object.entries(lines)) add(merged, path, Number(line), counts)
    }
  }
  return merged
}

function add(hits: Hits, path: string, line: number, counts: TaskHits): void {
  hits[path] ??= {}
  const file = hits[path]
  const before = file[line] ?? [0, 0, 0]
  file[line] = before.map((count, index) => count + (counts[index] ?? 0)) as TaskHits
}

function countsOf(task: TaskRun): TaskHits {
  // A host that could not be reached has run nothing.
  const unreachable = task.status === 'unreachable' || task.result.unreachable === true
  // And the condition of a loop without items is not looked at.
  if (unreachable || 'skipped_reason' in task.result) return [0, 0, 0]
  const outcomes = task.items.length > 0 ? task.items : [task]
  const skipped = outcomes.filter(isSkipped).length
  return [skipped < outcomes.length ? 1 : 0, outcomes.length - skipped, skipped]
}

// Modules can say that they were skipped, too (a command with `creates`), and then the condition has held. With no_log
// nobody knows, and a condition is the likelier reason.
function isSkipped({ status, result }: Pick<TaskRun, 'status' | 'result'>): boolean {
  if (status !== 'skipped') return false
  return Object.keys(result).length === 0 || 'censored' in result || 'skip_reason' in result
}
