import { setTimeout as delay } from 'node:timers/promises'
import type { PlaybookOptions } from '../ansible/arguments.ts'
import type { AnsibleRun } from '../ansible/run.ts'
import { isRaspiError, RaspiError } from '../errors.ts'

/** A Pi whose power can be cut. */
export interface Pluggable {
  power: { cut(): Promise<void>; on(): Promise<void> }
}

/** What {@link convergeThroughPowerCuts} works with. */
export interface PowerCuts {
  run: (options: Pick<PlaybookOptions, 'onEvent'>) => Promise<AnsibleRun>
  pis: readonly Pluggable[]
  /** How many tasks there are to a cut. */
  every: number
  /** How long a task has been at work by then, in ms: an emulated Pi takes seconds for most. @default 1000 */
  intoTaskMs?: number
}

/**
 * Runs a playbook again and again, and in each run cuts the power of all Pis in the midst of the next `every`-th task: the
 * third, the sixth, … of those that begin. Then they boot, and the next run has to go on from there. Gives the run in
 * which no task was left for a cut, be it because one failed, and how often power was cut.
 */
export async function convergeThroughPowerCuts({
  run,
  pis,
  every,
  intoTaskMs = 1_000,
}: PowerCuts): Promise<{ run: AnsibleRun; cuts: number }> {
  const cutAll = async () => {
    await delay(intoTaskMs)
    await Promise.all(pis.map(({ power }) => power.cut()))
  }
  for (let cuts = 0; ; cuts++) {
    let left = (cuts + 1) * every
    let cut: Promise<void> | undefined
    const onEvent: PlaybookOptions['onEvent'] = ({ event }) => {
      if (event !== 'task' || --left !== 0) return
      cut = cutAll()
      // Waited for below, once Ansible has ended.
      cut.catch(() => {})
    }
    const ended = await run({ onEvent }).catch((error) => {
      // Without power nobody answers Ansible. Anything else is not our doing.
      if (cut && isRaspiError(error) && error.kind === 'ansible') return undefined
      throw error
    })
    if (ended && !cut) return { run: ended, cuts }
    await cut
    await Promise.all(pis.map(({ power }) => power.on()))
  }
}

/** Throws a `RaspiError` where `every` is no number of tasks. */
export function assertEvery(every: number): void {
  if (Number.isInteger(every) && every > 0) return
  throw new RaspiError('options', `powerCuts is a number of tasks, from 1 on, and ${every} is none.`, {
    hint: 'powerCuts: 3 cuts the power in the third task, the sixth, and so on.',
  })
}
