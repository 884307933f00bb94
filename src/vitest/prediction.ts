import { type AnsibleRun, describeTask, type TaskRun } from '../ansible/run.ts'
import { refuseNameless, refuseUnknown } from './matcher-arguments.ts'
import {
  asRun,
  type MatcherContext,
  type MatcherResult,
  message,
  type Name,
  named,
  outcome,
  succeeded,
  whyNot,
} from './run-matcher.ts'
import { count, listOf } from './run-report.ts'

/** How what a check run said would change compares with what a real run changed. */
interface Prediction {
  /** Tasks that changed something the check run did not tell of, each with what the check run says of it. */
  missed: { task: TaskRun; predicted: TaskRun | undefined }[]
  /** Tasks of the check run that would have changed something, and did not. */
  unfulfilled: TaskRun[]
}

/** For `expect.extend`; what it judges is told in `RunMatchers`. */
export function toPredictItsChanges(
  this: MatcherContext,
  received: unknown,
  other: unknown,
  expected: { except?: readonly Name[] } = {},
): MatcherResult {
  const [check, real] = [asRun('toPredictItsChanges', received), asRun('toPredictItsChanges', other)]
  refuseUnknown('toPredictItsChanges', ['except'], expected)
  const { except = [] } = expected
  refuseNameless('toPredictItsChanges', except)
  if (!check.check || real.check)
    throw new TypeError(
      'toPredictItsChanges compares a run with { check: true } with one without: expect(checkRun).toPredictItsChanges(realRun).',
    )
  const failed = [check, real].find((run) => !succeeded(run))
  const prediction = comparePrediction(check, real, (task) => !except.some((name) => named(task, name)))
  const { missed, unfulfilled } = prediction
  const wanted = 'the check run tells which tasks change something'
  return {
    pass: !failed && missed.length === 0 && unfulfilled.length === 0,
    message: () => {
      if (this.isNot)
        return message(
          this,
          'toPredictItsChanges',
          real,
          `not that ${wanted}`,
          'it told them all, and no more',
        )
      if (failed) {
        const which = failed === check ? 'the check run' : 'the real run'
        const got = `${which}: ${outcome(failed)}`
        return message(this, 'toPredictItsChanges', failed, wanted, got, ...whyNot(failed))
      }
      const got = [
        ...(missed.length > 0 ? [`it did not tell of ${count(missed)}`] : []),
        ...(unfulfilled.length > 0 ? [`${count(unfulfilled)} of those it told changed nothing`] : []),
      ].join('; ')
      return message(this, 'toPredictItsChanges', real, wanted, got, ...differences(prediction))
    },
  }
}

/**
 * Compares the tasks that `check`, a run in check mode, says would change something with those that `real` changed. A task
 * is the same in both where it is written at the same place and ran on the same host, the first time with the first.
 */
function comparePrediction(
  check: AnsibleRun,
  real: AnsibleRun,
  counts: (task: TaskRun) => boolean,
): Prediction {
  const predicted = byOccurrence(check.tasks.filter(counts))
  const happened = byOccurrence(real.tasks.filter(counts))
  const changes = (run: AnsibleRun) => new Set(run.changed)
  const [wouldChange, changed] = [changes(check), changes(real)]
  return {
    missed: [...happened].flatMap(([key, task]) => {
      const counterpart = predicted.get(key)
      return changed.has(task) && !(counterpart && wouldChange.has(counterpart))
        ? [{ task, predicted: counterpart }]
        : []
    }),
    unfulfilled: [...predicted].flatMap(([key, task]) => {
      const counterpart = happened.get(key)
      return wouldChange.has(task) && !(counterpart && changed.has(counterpart)) ? [task] : []
    }),
  }
}

function byOccurrence(tasks: readonly TaskRun[]): Map<string, TaskRun> {
  const found = new Map<string, TaskRun>()
  const seen = new Map<string, number>()
  for (const task of tasks) {
    const key = JSON.stringify([task.host, task.path, task.line, task.role, task.name])
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    found.set(`${key} ${count}`, task)
  }
  return found
}

function differences({ missed, unfulfilled }: Prediction): string[] {
  const why = (predicted: TaskRun | undefined) =>
    predicted ? `${predicted.status} in the check run` : 'not in the check run'
  return [
    ...(missed.length > 0
      ? [
          'Changed, but not foretold:',
          listOf(missed, ({ task, predicted }) => `${placed(task)}: ${why(predicted)}`),
        ]
      : []),
    ...(unfulfilled.length > 0 ? ['Foretold, but not changed:', listOf(unfulfilled, placed)] : []),
  ]
}

const placed = (task: TaskRun) => `${describeTask(task)} on ${task.host}`
