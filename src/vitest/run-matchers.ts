import { type TaskStatus, taskStatuses } from '../ansible/events.ts'
import type { AnsibleRun, HandlerNotification, TaskRun } from '../ansible/run.ts'
import { refuseMore, refuseNameless, refuseUnknown, wrongArgument } from './matcher-arguments.ts'
import { toPredictItsChanges } from './prediction.ts'
import {
  asRun,
  type MatcherContext,
  type MatcherResult,
  message,
  type Name,
  named,
  outcome,
  show,
  succeeded,
  whyNot,
} from './run-matcher.ts'
import { changeReport, count, failureReport, taskList } from './run-report.ts'

/** What can be expected of a run of `ansible.playbook()`. */
export interface RunMatchers<R> {
  /** Every task succeeded, or its failure was ignored or rescued; at least one play had a Pi to work on, and tags left it a task. */
  toSucceed(): R
  /** A task failed the playbook: any, or one of this name and with this in its message or output. */
  toFail(expected?: { task?: Name; message?: Name }): R
  /** Tasks changed something: any number of them, or exactly `count`, with each host counted, as in Ansible's recap. */
  toHaveChanged(count?: number): R
  /** It succeeded and changed nothing: what the second run of a good playbook does. */
  toBeIdempotent(): R
  /** It ran with `{ check: true }`, succeeded, and would change nothing. */
  toChangeNothingInCheckMode(): R
  /**
   * It ran with `{ check: true }`, and just the tasks that would change something changed something in `real`, a run on a
   * Pi in the same state. Tasks that `except` names may do as they like.
   * @example expect(await ansible.playbook('site.yml', { check: true })).toPredictItsChanges(await ansible.playbook('site.yml'))
   */
  toPredictItsChanges(real: AnsibleRun, expected?: { except?: readonly Name[] }): R
  /** A handler of this name, with its role before it or without, was notified: by any host, or by this one. */
  toHaveNotifiedHandler(name: Name, expected?: { host?: string }): R
  /**
   * Ansible warned of nothing, and of nothing that is deprecated unless `deprecations` is false, but for what `except` finds: a
   * part of its text, or an expression that matches it.
   */
  toHaveNoWarnings(expected?: { except?: readonly Name[]; deprecations?: boolean }): R
  /** A task of this name, with its role before it or without, ran on a host (was not skipped), or ended in this status. */
  toHaveRunTask(name: Name, expected?: { status?: TaskStatus; host?: string }): R
}

/** For `expect.extend`. */
export const runMatchers = {
  toSucceed(this: MatcherContext, received: unknown, ...more: unknown[]): MatcherResult {
    const run = asRun('toSucceed', received)
    refuseMore('toSucceed', 0, more)
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
    expected: { task?: Name; message?: Name } = {},
  ): MatcherResult {
    const run = asRun('toFail', received)
    refuseUnknown('toFail', ['task', 'message'], expected)
    const { task: name, message: text } = expected
    refuseNameless(
      'toFail',
      [name, text].filter((each) => each !== undefined),
    )
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

  toHaveChanged(
    this: MatcherContext,
    received: unknown,
    expected?: number,
    ...more: unknown[]
  ): MatcherResult {
    const run = asRun('toHaveChanged', received)
    refuseMore('toHaveChanged', 1, [expected, ...more])
    if (expected !== undefined && !(Number.isInteger(expected) && expected >= 0))
      throw wrongArgument(
        'toHaveChanged',
        `${JSON.stringify(expected)} is no number of tasks`,
        'Give a number, or nothing for any.',
      )
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

  toBeIdempotent(this: MatcherContext, received: unknown, ...more: unknown[]): MatcherResult {
    const run = asRun('toBeIdempotent', received)
    refuseMore('toBeIdempotent', 0, more)
    return changesNothing(this, 'toBeIdempotent', run)
  },

  toChangeNothingInCheckMode(this: MatcherContext, received: unknown, ...more: unknown[]): MatcherResult {
    const run = asRun('toChangeNothingInCheckMode', received)
    refuseMore('toChangeNothingInCheckMode', 0, more)
    if (!run.check)
      throw new TypeError(
        'toChangeNothingInCheckMode is for a run with { check: true }, which this one is not.',
      )
    return changesNothing(this, 'toChangeNothingInCheckMode', run)
  },

  toPredictItsChanges,

  toHaveNotifiedHandler(
    this: MatcherContext,
    received: unknown,
    name: Name,
    expected: { host?: string } = {},
  ): MatcherResult {
    const run = asRun('toHaveNotifiedHandler', received)
    refuseNameless('toHaveNotifiedHandler', [name])
    refuseUnknown('toHaveNotifiedHandler', ['host'], expected)
    const { host } = expected
    refuseOddHost('toHaveNotifiedHandler', host)
    const matching = run.notified.filter(
      (handler) => named(handler, name) && (host === undefined || handler.host === host),
    )
    const wanted = `handler ${show(name)} notified${host ? ` by ${host}` : ''}`
    const all = run.notified.map((handler) => `${handlerName(handler)} by ${handler.host}`)
    return {
      pass: matching.length > 0,
      message: () =>
        message(
          this,
          'toHaveNotifiedHandler',
          run,
          this.isNot ? `not ${wanted}` : wanted,
          all.length > 0 ? all.join(', ') : 'no handler notified',
        ),
    }
  },

  toHaveNoWarnings(
    this: MatcherContext,
    received: unknown,
    expected: { except?: readonly Name[]; deprecations?: boolean } = {},
  ): MatcherResult {
    const run = asRun('toHaveNoWarnings', received)
    refuseUnknown('toHaveNoWarnings', ['except', 'deprecations'], expected)
    const { except = [], deprecations = true } = expected
    refuseNameless('toHaveNoWarnings', except)
    const overlooked = (text: string) =>
      except.some((one) => (typeof one === 'string' ? text.includes(one) : text.search(one) >= 0))
    const found = warningsOf(run, deprecations).filter((text) => !overlooked(text))
    const wanted = 'no warning'
    const got = found.length === 0 ? wanted : `${found.length} warning${found.length === 1 ? '' : 's'}`
    return {
      pass: found.length === 0,
      message: () =>
        message(
          this,
          'toHaveNoWarnings',
          run,
          this.isNot ? 'a warning' : wanted,
          got,
          ...(found.length > 0 ? [found.map((text) => `  ${text}`).join('\n')] : []),
        ),
    }
  },

  toHaveRunTask(
    this: MatcherContext,
    received: unknown,
    name: Name,
    expected: { status?: TaskStatus; host?: string } = {},
  ): MatcherResult {
    const run = asRun('toHaveRunTask', received)
    refuseNameless('toHaveRunTask', [name])
    refuseUnknown('toHaveRunTask', ['status', 'host'], expected)
    const { status, host } = expected
    refuseOddHost('toHaveRunTask', host)
    if (status !== undefined && !taskStatuses.includes(status))
      throw wrongArgument(
        'toHaveRunTask',
        `there is no status "${status}"`,
        `One of ${taskStatuses.join(', ')}.`,
      )
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

function refuseOddHost(matcher: string, host: unknown): void {
  if (host === undefined || typeof host === 'string') return
  throw wrongArgument(matcher, 'its host is no name of one', 'Give the name that it has in the inventory.')
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
      return message(context, matcher, run, wanted, got, changeReport(changed))
    },
  }
}

/** How Ansible ends each deprecation, or all of them together. */
const remark =
  /\s*Deprecation warnings can be disabled by setting \W?deprecation_warnings=False\W? in ansible\.cfg\.?/

/** All that Ansible warned of, once: a task's warnings are on stderr too, there with line breaks and remarks of their own. */
function warningsOf(run: AnsibleRun, deprecations: boolean): string[] {
  const texts = [
    ...run.tasks.flatMap(({ warnings }) => warnings),
    ...run.warnings,
    ...(deprecations ? [...run.tasks.flatMap((task) => task.deprecations), ...run.deprecations] : []),
  ]
  const found = new Map<string, string>()
  for (const text of texts.map((text) => text.replace(remark, '').trim()).filter(Boolean)) {
    const letters = text.replace(/\s+/g, '')
    if (![...found.keys()].some((known) => letters.includes(known))) found.set(letters, text)
  }
  return [...found.values()]
}

const handlerName = ({ name, role }: HandlerNotification) => (role ? `${role} : ${name}` : name)

function says({ result, items }: TaskRun, wanted: Name): boolean {
  const text = [result, ...items.filter(({ status }) => status === 'failed').map((item) => item.result)]
    .flatMap(({ msg, reason, stderr, stdout }) => [msg, reason, stderr, stdout])
    .filter((part) => typeof part === 'string')
    .join('\n')
  return typeof wanted === 'string' ? text.includes(wanted) : text.search(wanted) >= 0
}
