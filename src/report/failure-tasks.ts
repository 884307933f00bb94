import { resolve } from 'node:path'
import { placeOf, type TaskRun, titleOf } from '../ansible/run.ts'
import { maskSecrets } from './mask.ts'
import type { FailureTask } from './meta.ts'
import { type RunRecord, tasksOf } from './run-record.ts'
import { cutText, maskedDiff } from './text.ts'

const most = { tasks: 5, message: 500, diffLines: 40 }

/**
 * The tasks that a test's failure has to do with: of the last run those that failed it and the one it was at when it was
 * stopped, and those whose changes `errors`, the messages of the test's errors, tell of. At most five, without `secrets`.
 */
export function failureTasks(
  records: readonly RunRecord[],
  errors: readonly string[],
  projectDir: string,
  secrets: readonly string[],
): FailureTask[] {
  const last = records.at(-1)
  if (!last) return []
  const { tasks, current } = tasksOf(last, projectDir)
  const mask = (text: string) => maskSecrets(text, secrets)
  const told = (task: Titled) => errors.some((error) => tells(error, task))
  const failed = tasks.filter(({ status }) => status === 'failed' || status === 'unreachable')
  const changed = tasks.filter((task) => task.changed && !failed.includes(task) && told(task))
  const ended: FailureTask[] = [...failed, ...changed].map((task) => ({
    ...common(task, projectDir),
    what: failed.includes(task) ? 'failed' : 'changed',
    host: task.host,
    durationMs: task.durationMs,
    // Masked before it is cut: no part of a secret is known as one.
    message: cutText(mask(taskMessage(task)), most.message),
    diff: maskedDiff(task, mask).slice(0, most.diffLines),
    told: told(task),
  }))
  if (!current || failed.length > 0) return ended.slice(0, most.tasks)
  const atWork: FailureTask = {
    ...common(current, projectDir),
    what: 'at work',
    durationMs: (last.endedAt ?? Date.now()) - current.startedAt,
    message: '',
    diff: [],
    told: told(current),
  }
  return [atWork, ...ended].slice(0, most.tasks)
}

type Titled = Pick<TaskRun, 'name' | 'role' | 'handler' | 'path' | 'line'>

// Our errors and matchers name a task by its title and, on the same line or the next, its place.
function tells(error: string, task: Titled): boolean {
  return error.includes(titleOf(task)) && error.includes(placeOf(task) ?? '')
}

function common(task: Titled, projectDir: string) {
  return {
    title: titleOf(task),
    ...(task.path ? { path: resolve(projectDir, task.path) } : {}),
    ...(task.line ? { line: task.line } : {}),
  }
}

/** The most telling words of a task's result; empty where it has none. */
export function taskMessage({ result, items }: TaskRun): string {
  const results = [result, ...items.filter(({ status }) => status === 'failed').map((item) => item.result)]
  // The last is the most telling: a loop itself says only that not all of its items succeeded.
  const message = results
    .map(({ msg, reason, stderr, censored }) => msg || reason || stderr || censored)
    .findLast(Boolean)
  return typeof message === 'string' ? message.trim() : message === undefined ? '' : JSON.stringify(message)
}
