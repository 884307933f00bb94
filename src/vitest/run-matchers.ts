import type { TaskStatus } from '../ansible/events.ts'
import { AnsibleRun, type AnsibleRunData, type TaskRun } from '../ansible/run.ts'
import { changeReport, count, type Differ, failureReport, lastLines, taskList } from './run-report.ts'

/** What can be expected of a run of `ansible.playbook()`. */
export interface RunMatchers<R> {
  /** Every task succeeded, or its failure was ignored or rescued; and at least one play had a Pi to work on. */
  toSucceed(): R
  /** A task failed the playbook: any, or one of this name and with this in its message or output. */
  toFail(expected?: { task?: string | RegExp; message?: string | RegExp }): R
  /** Tasks changed something: any number of them, or exactly `count`, with each host counted, as in Ansible's recap. */
  toHaveChanged(count?: number): R
  /** It succeeded and changed nothing: what the second run of a good playbook does. */
  toBeIdempotent(): R
  /** It ran with `{ check: true }`, succeeded, and would change nothing. */
  toChangeNothingInCheckMode(): R
  /** A task of this name, with its role before it or without, ran on a host (was not skipped), or ended in this status. */
  toHaveRunTask(name: string | RegExp, expected?: { status?: TaskStatus; host?: string }): R
}

interface MatcherContext {
  isNot: boolean
  utils: { diff: Differ }
}

interface MatcherResult {
  pass: boolean
  message: () => string
}

/** For `expect.extend`. */
export const runMatchers = {
  toSucceed(this: MatcherContext, received: unknown): MatcherResult {
    const run = asRun('toSucceed', received)
    return {
      pass: succeeded(run),
      message: () =>
        this.isNot
          ? message(this, 'toSucceed', run, 'a task fails', 'every task succeeded')
          : message(this, 'toSucceed', run, 'every task succeeds', outcome(run), ...whyNot(run)),
    }
  },

  toFail(
    this: MatcherContext,
    received: unknown,
    expected: { task?: string | RegExp; message?: string | RegExp } = {},
  ): MatcherResult {
    const run = asRun('toFail', received)
    const { task: name, message: text } = expected
    const matching = run.failed.filter(
      (task) => (name === undefined || named(task, name)) && (text === undefined || says(task, text)),
    )
    const wanted = [
      name === undefined ? 'a task fails' : `task ${show(name)} fails`,
      ...(text === undefined ? [] : [`with ${show(text)}`]),
    ].join(' ')
    const report = run.failed.length > 0 ? [failureReport(run.failed)] : []
    return {
      pass: matching.length > 0 || (name === undefined && text === undefined && !run.ok),
      message: () =>
        this.isNot
          ? message(this, 'toFail', run, `not that ${wanted}`, outcome(run), ...report)
          : message(this, 'toFail', run, wanted, outcome(run), ...report),
    }
  },

  toHaveChanged(this: MatcherContext, received: unknown, expected?: number): MatcherResult {
    const run = asRun('toHaveChanged', received)
    const { changed } = run
    const wanted =
      expected === undefined ? 'something changes' : `${expected} task${expected === 1 ? '' : 's'} changed`
    return {
      pass: expected === undefined ? changed.length > 0 : changed.length === expected,
      message: () =>
        message(
          this,
          'toHaveChanged',
          run,
          this.isNot ? `not that ${wanted}` : wanted,
          changed.length === 0 ? 'no task changed anything' : `${count(changed)} changed`,
          taskList(changed.length > 0 ? changed : run.tasks),
        ),
    }
  },

  toBeIdempotent(this: MatcherContext, received: unknown): MatcherResult {
    return changesNothing(this, 'toBeIdempotent', asRun('toBeIdempotent', received))
  },

  toChangeNothingInCheckMode(this: MatcherContext, received: unknown): MatcherResult {
    const run = asRun('toChangeNothingInCheckMode', received)
    if (!run.check)
      throw new TypeError(
        'toChangeNothingInCheckMode is for a run with { check: true }, which this one is not.',
      )
    return changesNothing(this, 'toChangeNothingInCheckMode', run)
  },

  toHaveRunTask(
    this: MatcherContext,
    received: unknown,
    name: string | RegExp,
    { status, host }: { status?: TaskStatus; host?: string } = {},
  ): MatcherResult {
    const run = asRun('toHaveRunTask', received)
    const ofName = run.tasks.filter((task) => named(task, name) && (host === undefined || task.host === host))
    const matching = ofName.filter((task) =>
      status === undefined ? task.status !== 'skipped' : task.status === status,
    )
    const wanted = `task ${show(name)}${status ? ` ${status}` : ' run'}${host ? ` on ${host}` : ''}`
    const got =
      ofName.length > 0
        ? ofName.map((task) => `${task.status} on ${task.host}`).join(', ')
        : 'no task of this name'
    return {
      pass: matching.length > 0,
      message: () =>
        message(
          this,
          'toHaveRunTask',
          run,
          this.isNot ? `not ${wanted}` : wanted,
          got,
          `Tasks:\n${taskList(run.tasks)}`,
        ),
    }
  },
}

function changesNothing(context: MatcherContext, matcher: string, run: AnsibleRun): MatcherResult {
  const { changed } = run
  const wanted = run.check ? 'no task would change anything' : 'no task changes anything'
  return {
    pass: succeeded(run) && changed.length === 0,
    message: () => {
      if (context.isNot)
        return message(context, matcher, run, 'something changes', 'no task changed anything')
      if (!succeeded(run)) return message(context, matcher, run, wanted, outcome(run), ...whyNot(run))
      const got = `${count(changed)} changed`
      return message(context, matcher, run, wanted, got, changeReport(changed, context.utils.diff))
    },
  }
}

// A playbook whose host patterns match nothing does nothing, and Ansible calls that a success. No test means that.
const matchedNoHost = ({ plays }: AnsibleRun) => plays.length > 0 && plays.every(({ matched }) => !matched)

const succeeded = (run: AnsibleRun) => run.ok && !matchedNoHost(run)

function outcome(run: AnsibleRun): string {
  if (run.failed.length > 0) return `${count(run.failed)} failed (exit code ${run.exitCode})`
  if (!run.ok) return `exit code ${run.exitCode}`
  return matchedNoHost(run) ? 'no play matched a host, nothing was done' : 'every task succeeded'
}

function whyNot(run: AnsibleRun): string[] {
  if (run.ok) {
    const plays = run.plays.map(({ name, hosts }) => `  ${name} (hosts: ${hosts})`)
    return [`Plays:\n${plays.join('\n')}`]
  }
  return run.failed.length > 0 ? [failureReport(run.failed), lastLines(run)] : [lastLines(run)]
}

function message(
  { isNot }: MatcherContext,
  matcher: string,
  run: AnsibleRun,
  expected: string,
  received: string,
  ...sections: string[]
): string {
  const facts = [`Playbook: ${run.playbook}`, `Expected: ${expected}`, `Received: ${received}`]
  return [`expect(run)${isNot ? '.not' : ''}.${matcher}() failed`, facts.join('\n'), ...sections].join('\n\n')
}

function asRun(matcher: string, received: unknown): AnsibleRun {
  const run = received as Partial<AnsibleRunData> | null | undefined
  if (run instanceof AnsibleRun) return run
  // Plain data, come from another process or out of a file.
  if (Array.isArray(run?.tasks) && typeof run.exitCode === 'number')
    return new AnsibleRun(run as AnsibleRunData)
  const kind =
    received instanceof Promise
      ? 'a promise: `await` it first'
      : received === null
        ? 'null'
        : `a ${typeof received}`
  throw new TypeError(
    `${matcher} can be used only with what ansible.playbook() gives, was called with ${kind}.`,
  )
}

function named({ name, role }: TaskRun, wanted: string | RegExp): boolean {
  const names = [name, `${role} : ${name}`]
  return typeof wanted === 'string'
    ? names.includes(wanted)
    : names.some((candidate) => candidate.search(wanted) >= 0)
}

function says({ result, items }: TaskRun, wanted: string | RegExp): boolean {
  const text = [result, ...items.filter(({ status }) => status === 'failed').map((item) => item.result)]
    .flatMap(({ msg, reason, stderr, stdout }) => [msg, reason, stderr, stdout])
    .filter((part) => typeof part === 'string')
    .join('\n')
  return typeof wanted === 'string' ? text.includes(wanted) : text.search(wanted) >= 0
}

const show = (wanted: string | RegExp) =>
  typeof wanted === 'string' ? JSON.stringify(wanted) : String(wanted)
