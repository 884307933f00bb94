import { isAbsolute, resolve } from 'node:path'
import type { TestArtifactBase } from 'vitest'
import type { TaskStatus } from '../ansible/events.ts'
import type { TaskRun } from '../ansible/run.ts'
import { taskMessage } from './failure-tasks.ts'
import { maskSecrets } from './mask.ts'
import { type RunRecord, tasksOf } from './run-record.ts'
import { cutText, firstLine, maskedDiff } from './text.ts'
import type { RunAccount, TaskAccount, TestAccount } from './told.ts'

/** An account as Vitest's reporters get it: not as `task.meta`, which other reporters write out for every test. */
export interface AccountArtifact extends TestArtifactBase {
  type: 'vitest-raspi:account'
  account: TestAccount
}

/** How much is told of one test: runs and tasks; characters of a message; lines of a diff; characters of all diffs. */
const most = { runs: 20, tasks: 400, message: 1_000, error: 8_000, diffLines: 60, diffs: 64 * 1024 }

/** What `records` and `errors` come to, within bounds and without `secrets`. */
export function accountOf(
  records: readonly RunRecord[],
  errors: readonly string[],
  projectDir: string,
  secrets: readonly string[],
): TestAccount {
  const mask = (text: string) => maskSecrets(text, secrets)
  const left = { tasks: most.tasks, diffs: most.diffs }
  return {
    // The last ones: those that a failure has to do with.
    runs: records.slice(-most.runs).map((record) => accountOfRun(record, projectDir, mask, left)),
    errors: errors.map((error) => cutText(mask(error), most.error)),
  }
}

function accountOfRun(
  record: RunRecord,
  projectDir: string,
  mask: (text: string) => string,
  left: { tasks: number; diffs: number },
): RunAccount {
  const { run, error, playbook, startedAt } = record
  const endedAt = record.endedAt ?? Date.now()
  const { tasks, current, plays } = tasksOf(record, projectDir)
  const place = ({ path, line }: { path?: string; line?: number }) => ({
    ...(path ? { path: isAbsolute(path) ? path : resolve(projectDir, path) } : {}),
    ...(line ? { line } : {}),
  })
  const common = (task: Pick<TaskRun, 'name' | 'role' | 'handler' | 'path' | 'line'>) => ({
    ...{ name: task.role ? `${task.role} : ${task.name}` : task.name, handler: task.handler },
    ...place(task),
  })
  const kept = keep(tasks, left.tasks)
  left.tasks -= kept.length
  const told: TaskAccount[] = kept.map((task) => {
    const { host, status, endedAt, durationMs } = task
    const message = failing(status) ? cutText(mask(taskMessage(task)), most.message) : ''
    const diff = left.diffs > 0 ? shownDiff(task, mask) : []
    left.diffs -= diff.join('\n').length
    return {
      ...common(task),
      ...{ host, status, endedAt, durationMs },
      ...(message ? { message } : {}),
      ...(diff.length > 0 ? { diff } : {}),
    }
  })
  if (current) {
    const durationMs = endedAt - current.startedAt
    told.push({ ...common(current), host: '', status: 'at work', endedAt, durationMs })
  }
  return {
    playbook,
    ...(run ? { command: mask(run.command) } : {}),
    ok: run?.ok ?? false,
    check: run?.check ?? record.options.check ?? false,
    outcome: run
      ? `exit code ${run.exitCode}`
      : mask(error === undefined ? 'still at work' : firstLine(error)),
    ...{ startedAt, endedAt },
    plays: plays.map((play) => ({ name: play.name, ...place(play) })),
    tasks: told,
    omitted: tasks.length - kept.length,
  }
}

/** At most `count` of `tasks`, in their order: the failed ones whatever else there is. */
function keep(tasks: readonly TaskRun[], count: number): TaskRun[] {
  if (tasks.length <= count) return [...tasks]
  const failed = tasks.filter(({ status }) => failing(status)).slice(0, count)
  const others = tasks.filter(({ status }) => !failing(status)).slice(0, count - failed.length)
  const kept = new Set([...failed, ...others])
  return tasks.filter((task) => kept.has(task))
}

const failing = (status: TaskStatus) =>
  status === 'failed' || status === 'unreachable' || status === 'rescued' || status === 'ignored'

// Masked before it is cut: no part of a secret is known as one.
function shownDiff(task: TaskRun, mask: (text: string) => string): string[] {
  const lines = maskedDiff(task, mask)
  const more = lines.length - most.diffLines
  const shown = lines.slice(0, most.diffLines).map((line) => cutText(line, 500))
  return more > 0 ? [...shown, `… ${more} more lines`] : shown
}
