import type { AnsibleRun } from '../ansible/run.ts'
import type { Step } from './scenario.ts'

/**
 * Whether a step was this machine's alone, as it may be: scenarios prepare and verify by plays for localhost. One that converges
 * is about the Pis, and a play that matched no host at all was not meant so.
 */
export function isLocalStep({ action }: Pick<Step, 'action'>, { ok, plays }: AnsibleRun): boolean {
  if (action === 'converge' || action === 'check') return false
  return ok && plays.length > 0 && plays.every(({ matched }) => matched)
}

/**
 * Whether the scenario's tags left a step nothing to do, as they may: Molecule gives those that are meant for converging to
 * every step.
 */
export function isEmptyStep(
  { action }: Pick<Step, 'action'>,
  { ok, hadPi, noneChosen }: AnsibleRun,
): boolean {
  if (action === 'converge' || action === 'check' || action === 'idempotence') return false
  return ok && hadPi && noneChosen !== undefined
}
