import {
  AnsibleRun,
  type AnsibleRunData,
  describeNoneChosen,
  describePis,
  describeTags,
  type TaskRun,
} from '../ansible/run.ts'
import { count, endOfOutput, failureReport } from './run-report.ts'

/** A name or an expression that a name matches. */
export type Name = string | RegExp

/** What a matcher on a run needs of Vitest. */
export interface MatcherContext {
  isNot: boolean
}

/** What `expect.extend` wants of a matcher. */
export interface MatcherResult {
  pass: boolean
  message: () => string
}

/**
 * Whether every task succeeded, there was a Pi to work on, and its tags left something to do. A playbook whose host patterns
 * match none, or whose tasks have none of the tags, does nothing, and Ansible calls that a success. No test means that.
 */
export const succeeded = (run: AnsibleRun) => run.ok && run.hadPi && !run.noneChosen

/** How a run went, in a few words. */
export function outcome(run: AnsibleRun): string {
  if (run.failed.length > 0) return `${count(run.failed)} failed (exit code ${run.exitCode})`
  if (!run.ok) return `exit code ${run.exitCode}`
  if (!run.hadPi) return 'no play matched a Pi, none was worked on'
  return run.noneChosen ? `no task ran: ${describeNoneChosen(run.noneChosen)}` : 'every task succeeded'
}

/** The sections of a message that tell why a run did not succeed. */
export function whyNot(run: AnsibleRun): string[] {
  if (run.ok && run.hadPi && run.noneChosen) return [describeTags(run.noneChosen)]
  if (run.ok) {
    const plays = run.plays.map(({ name, hosts }) => `  ${name} (hosts: ${hosts})`)
    return [`Pis: ${describePis(run)}`, plays.length > 0 ? `Plays:\n${plays.join('\n')}` : 'Plays: none']
  }
  return run.failed.length > 0 ? [failureReport(run.failed), endOfOutput(run)] : [endOfOutput(run)]
}

/** A matcher's message: what was run, expected and received, and sections that say more. */
export function message(
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

/** `received` as a run. Throws a `TypeError` where it is none. */
export function asRun(matcher: string, received: unknown): AnsibleRun {
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

/** Whether a task or a handler has this name, with its role before it or without. */
export function named({ name, role }: Pick<TaskRun, 'name' | 'role'>, wanted: Name): boolean {
  const names = [name, `${role} : ${name}`]
  return typeof wanted === 'string'
    ? names.includes(wanted)
    : names.some((candidate) => candidate.search(wanted) >= 0)
}

/** What is wanted, as a test would write it. */
export const show = (wanted: Name) => (typeof wanted === 'string' ? JSON.stringify(wanted) : String(wanted))
