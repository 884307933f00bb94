import { type MatcherState, vi } from 'vitest'
import { probe } from '../../pi/probes/probe.ts'
import type { AnswersTo, Query } from '../../pi/probes/queries.ts'
import { isProbeTarget, type ProbeTarget } from '../../pi/probes/target.ts'
import { refuseMore, refuseUnknown } from '../matcher-arguments.ts'
import type { Verdict } from './verdict.ts'

interface PiMatcher<Q extends readonly Query[], A extends unknown[]> {
  /** The names that the options may have: the argument with a default. */
  options?: readonly string[]
  /** What to ask the Pi. Throws a `RaspiError` of kind 'options' where the arguments make no sense. */
  queries: (...args: A) => Q
  judge: (answers: AnswersTo<Q>, ...args: A) => Verdict
}

/** What `expect.extend` wants of a matcher. */
export interface MatcherResult {
  pass: boolean
  message: () => string
}

/**
 * Makes a matcher for `expect.extend` that asks a Pi and judges its answers.
 * It throws at once where the receiver is no Pi or an argument is wrong, and returns a promise otherwise.
 */
export function piMatcher<const Q extends readonly Query[], A extends unknown[]>(
  name: string,
  { options, queries, judge }: PiMatcher<Q, A>,
): (this: MatcherState, pi: unknown, ...args: A) => Promise<MatcherResult> {
  return lookingMatcher(name, {
    options,
    // Those that have no default.
    subjects: queries.length,
    look: (pi, ...args: A) =>
      probe(pi, queries(...args)).then((answers) => ({
        verdict: judge(answers, ...args),
        root: answers.every((answer) => answer.root),
      })),
  })
}

interface LookingMatcher<A extends unknown[]> {
  /** The names that the options may have. */
  options?: readonly string[] | undefined
  /** How many arguments there are before the options. @default 1 */
  subjects?: number
  /**
   * Looks at the Pi, with root's rights unless it says otherwise. Throws a `RaspiError` of kind 'options' at once where
   * the arguments make no sense.
   */
  look: (pi: ProbeTarget, ...args: A) => Promise<{ verdict: Verdict; root?: boolean }>
}

/** Makes a matcher as {@link piMatcher} does, which looks at a Pi in a way of its own. */
export function lookingMatcher<A extends unknown[]>(
  name: string,
  { options, subjects = 1, look }: LookingMatcher<A>,
): (this: MatcherState, pi: unknown, ...args: A) => Promise<MatcherResult> {
  // A helper, so that what is thrown here points at the line of the test.
  return vi.defineHelper(function (this: MatcherState, pi: unknown, ...args: A): Promise<MatcherResult> {
    if (!isProbeTarget(pi)) {
      const received = this.utils.printReceived(pi)
      throw new TypeError(`${name} can be used only with a Pi, was called with ${received}`)
    }
    refuseMore(name, options ? subjects + 1 : subjects, args)
    if (options) refuseUnknown(name, options, args[subjects])
    return look(pi, ...args).then(({ verdict, root = true }) => {
      // No actual and expected: Vitest would print a second diff below the message, and of contents kept secret.
      return { pass: verdict.pass, message: () => explain(this, name, pi, args[0], root, verdict) }
    })
  })
}

function explain(
  state: MatcherState,
  name: string,
  pi: ProbeTarget,
  subject: unknown,
  root: boolean,
  verdict: Verdict,
) {
  const { utils, isNot, promise } = state
  const { host, port } = pi.connection
  const shown = typeof subject === 'object' && !(subject instanceof RegExp) ? '' : utils.stringify(subject)
  const title = utils.matcherHint(name, 'pi', subject === undefined ? '' : shown, { isNot, promise })
  return [
    `${title} failed\n`,
    `Pi:        ${pi.name} (${host}:${port})${root ? '' : ", asked without root's rights"}`,
    `Expected:  ${utils.EXPECTED_COLOR(isNot ? verdict.unexpected : verdict.expected)}`,
    `Received:  ${utils.RECEIVED_COLOR(verdict.received)}`,
    ...verdict.details.map((detail) => `\n${detail(utils)}`),
  ].join('\n')
}
