import { describe } from 'vitest'
import * as z from 'zod'
import type { Ansible } from '../ansible/ansible.ts'
import { type PlaybookOptions, playbookShape } from '../ansible/arguments.ts'
import type { AnsibleRun } from '../ansible/run.ts'
import { checkOptions, optionObject, patterns, testTimeout } from '../option-objects.ts'
import type { Checkpoint } from '../pi/checkpoint.ts'
import type { Pi } from '../pi/pi.ts'
import { expect } from './expect.ts'
import { type RaspiFixtures, testOf } from './fixtures.ts'
import { timeoutOf } from './molecule-scenario.ts'
import { plannerOf } from './plan.ts'
import { assertEvery, convergeThroughPowerCuts } from './power-cuts.ts'
import { stages } from './stages.ts'
import { type InventoryTestOptions, type RaspiTestOptions, testShape } from './test-options.ts'

const playbookCheck = z.enum(['syntax', 'prediction', 'idempotence', 'checkMode', 'failedUnits', 'reboot'])

/** What {@link verifyPlaybook} checks besides that the playbook converges. */
export type PlaybookCheck = z.input<typeof playbookCheck>

const { check: _, ...runShape } = playbookShape
const { scope: __, ...pisShape } = testShape

const ownShape = {
  /** What is left out. @default nothing */
  except: z.array(playbookCheck).readonly().optional(),
  /** Options of each run of the playbook. */
  playbook: optionObject(runShape).optional(),
  /** Units that may have failed, as for `toHaveNoFailedUnits({ except })`. */
  failedUnits: patterns.optional(),
  /**
   * Whether the playbook converges though power is cut in the midst of each n-th task: on Pis as they were, n, 2n, … tasks
   * into it. Each cut takes a boot, about a minute, and so does keeping the Pis as they were. @default no cuts
   */
  powerCuts: z.custom<number>().optional(),
  /** The time that each test may take, in ms. @default the project's testTimeout */
  timeout: testTimeout.optional(),
}

const ownSchema = optionObject(ownShape)
const verifySchema = optionObject({ ...pisShape, ...ownShape })

/** How a playbook is verified: the Pis as for `raspiTest`, and the options for each of its runs. */
export type VerifyOptions = (Omit<RaspiTestOptions, 'scope'> | Omit<InventoryTestOptions, 'scope'>) &
  z.input<typeof ownSchema>

/**
 * Registers the tests that every playbook deserves, on Pis that they share: its syntax is right, a dry run foretells what
 * converging changes, it converges, a second run and a dry run after it change nothing, no unit has failed, and all
 * that is so after a reboot. With `powerCuts`, also that it converges whenever power was cut. A test whose ground has
 * failed is skipped. Once in a file: its Pis live until the file ends.
 * @example verifyPlaybook('site.yml', { hosts: { web: { groups: ['webservers'] } }, except: ['reboot'] })
 */
export function verifyPlaybook(path: string, options: VerifyOptions = {}): void {
  checkOptions('verifyPlaybook()', verifySchema, options)
  const { except = [], playbook = {}, failedUnits = [], powerCuts } = options
  if (powerCuts !== undefined) assertEvery(powerCuts)
  const test = testOf(plannerOf(options), { ...options, scope: 'file' })
  const run = (ansible: Ansible, more: PlaybookOptions = {}) =>
    ansible.playbook(path, { ...playbook, ...more, args: [...(playbook.args ?? []), ...(more.args ?? [])] })
  const lookAtUnits = async (pis: readonly Pi[]) => {
    await Promise.all(pis.map((pi) => expect(pi).toHaveNoFailedUnits({ except: failedUnits })))
  }
  let dry: AnsibleRun | undefined
  let real: AnsibleRun | undefined
  let fresh: { pi: Pi; checkpoint: Checkpoint }[] = []

  const checks: Check[] = [
    {
      ...{ check: 'syntax', title: 'its syntax is right', ground: true },
      // What is wrong is thrown, with its place.
      work: async ({ ansible }) => void (await run(ansible, { args: ['--syntax-check'] })),
    },
    {
      ...{ check: 'prediction', title: 'a dry run on fresh Pis succeeds' },
      work: async ({ ansible }) => {
        const found = await run(ansible, { check: true })
        expect(found).toSucceed()
        dry = found
      },
    },
    {
      ...{ check: 'convergence', title: 'it converges', ground: true },
      work: async ({ pis, ansible }) => {
        if (powerCuts !== undefined && fresh.length === 0) fresh = await checkpointsOf(Object.values(pis))
        real = await run(ansible)
        expect(real).toSucceed()
      },
    },
    {
      ...{ check: 'prediction', title: 'the dry run foretold what converging changed' },
      work: async ({ skip }) => {
        if (!dry || !real) skip('because the dry run failed')
        else expect(dry).toPredictItsChanges(real)
      },
    },
    {
      ...{ check: 'idempotence', title: 'a second run changes nothing' },
      work: async ({ ansible }) => void expect(await run(ansible)).toBeIdempotent(),
    },
    {
      ...{ check: 'checkMode', title: 'a dry run on converged Pis would change nothing' },
      work: async ({ ansible }) => {
        expect(await run(ansible, { check: true })).toChangeNothingInCheckMode()
      },
    },
    {
      ...{ check: 'failedUnits', title: 'no systemd unit has failed' },
      work: ({ pis }) => lookAtUnits(Object.values(pis)),
    },
    {
      ...{ check: 'reboot', title: 'it survives a reboot' },
      work: async ({ pis, ansible }) => {
        expect(await ansible.module('ansible.builtin.reboot')).toSucceed()
        await lookAtUnits(Object.values(pis))
        expect(await run(ansible)).toBeIdempotent()
      },
    },
    {
      ...{
        check: 'powerCuts',
        title: `it converges through power cuts, every ${powerCuts === 1 ? 'task' : `${powerCuts} tasks`}`,
      },
      work: async ({ pis, ansible }) => {
        await Promise.all(fresh.map(({ pi, checkpoint }) => pi.restore(checkpoint)))
        const { run: last } = await convergeThroughPowerCuts({
          run: ({ onEvent }) =>
            run(ansible, {
              onEvent: (event) => {
                playbook.onEvent?.(event)
                onEvent?.(event)
              },
            }),
          ...{ pis: Object.values(pis), every: powerCuts ?? 1 },
        })
        expect(last).toSucceed()
        await lookAtUnits(Object.values(pis))
        expect(await run(ansible)).toBeIdempotent()
      },
    },
  ]

  describe(path, () => {
    const stage = stages()
    for (const { check, title, ground = false, work } of checks) {
      if (check === 'powerCuts' ? powerCuts === undefined : except.some((name) => name === check)) continue
      test(title, timeoutOf(options), async ({ pis, ansible, skip }) => {
        await stage(title, { skip, ground }, () => work({ pis, ansible, skip }))
      })
    }
  })
}

interface Check {
  check: PlaybookCheck | 'convergence' | 'powerCuts'
  title: string
  /** Whether the others stand on it. */
  ground?: boolean
  work(context: Pick<RaspiFixtures, 'pis' | 'ansible'> & { skip: (note: string) => never }): Promise<void>
}

function checkpointsOf(pis: readonly Pi[]): Promise<{ pi: Pi; checkpoint: Checkpoint }[]> {
  return Promise.all(pis.map(async (pi) => ({ pi, checkpoint: await pi.checkpoint() })))
}
