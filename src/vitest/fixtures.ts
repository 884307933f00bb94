import { test as base, expect, type TestAPI, type TestContext } from 'vitest'
import type { Ansible } from '../ansible/ansible.ts'
import { parseReference } from '../image/reference.ts'
import { checkOptions } from '../option-objects.ts'
import type { Network } from '../pi/network.ts'
import type { Pi } from '../pi/pi.ts'
import { stepsOf } from '../prepare/options.ts'
import { type Borrowed, borrow, type CurrentTest, mend, type Wishes } from './borrow.ts'
import { concludeHook, concludeTest, type EvidenceWishes } from './evidence.ts'
import { injected } from './injected.ts'
import { type Planner, plannerOf } from './plan.ts'
import { type InventoryTestOptions, type RaspiTestOptions, testSchema } from './test-options.ts'

/** The fixtures of a test with Pis. */
export interface RaspiFixtures<Host extends string = string, Net extends string = string> {
  /** The Pis, by name. */
  pis: Record<Host, Pi>
  /** The first Pi. */
  pi: Pi
  /** Ansible, with an inventory of these Pis. */
  ansible: Ansible
  /** The networks between them, by name. */
  networks: Record<Net, Network>
}

/**
 * Makes a `test` whose fixtures are Pis: `pi` (the first), `pis` (all, by name), `ansible` and `networks`. Throws a `RaspiError`
 * where options contradict each other, or one is wrong.
 * @example const test = raspiTest({ hosts: { web: { groups: ['webservers'] }, db: {} } })
 * @example const test = raspiTest<'boreas' | 'zephyr'>({ inventory: 'inventory/hosts.ini', limit: 'winds' })
 */
export function raspiTest<Host extends string = string>(
  options: InventoryTestOptions,
): TestAPI<RaspiFixtures<Host>>
export function raspiTest<const Host extends string = 'pi', const Net extends string = never>(
  options?: RaspiTestOptions<Host, Net>,
): TestAPI<RaspiFixtures<Host, Net>>
export function raspiTest(options: RaspiTestOptions | InventoryTestOptions = {}): TestAPI<RaspiFixtures> {
  checkOptions('raspiTest()', testSchema, options)
  return testOf(plannerOf(options), options)
}

/** Makes the `test` of {@link raspiTest} for Pis that `plan` knows of. */
export function testOf(
  plan: Planner,
  options: Pick<RaspiTestOptions, 'scope' | 'image' | 'board' | 'prepare' | 'internet' | 'networks' | 'seed'>,
): TestAPI<RaspiFixtures> {
  const steps = options.prepare === undefined ? undefined : stepsOf(options.prepare)
  const wishes: Wishes = { ...options, steps }
  // What is wrong with it is told at its line, before anything is started.
  if (options.image !== undefined) parseReference(options.image)
  // Of the test that runs, where tests share their Pis.
  let current: CurrentTest | undefined
  let ofFile: { borrowed: Borrowed; tests: number; failed: boolean } | undefined
  // Two literal shapes: Vitest reads a fixture's scope and its parameters before it runs.
  const test =
    options.scope === 'file'
      ? base
          .extend('borrowed', { scope: 'file' }, async ({}, { onCleanup }) => {
            const file = expect.getState().testPath
            const borrowed = await borrow(file ?? 'a test file', plan, wishes, undefined, () => current)
            ofFile = { borrowed, tests: 0, failed: false }
            const mine = ofFile
            onCleanup(async () => {
              ofFile = undefined
              const dir =
                mine.tests === 0 && file && (await concludeHook(file, borrowed.evidence, evidenceWishes()))
              if (dir)
                borrowed.say(`No test of ${file} had its Pis: ${dir} tells what there is to know of them`)
              await borrowed.giveBack(keepWish(mine.failed, file ?? 'a test file'))
            })
            return borrowed
          })
          .extend('pis', { scope: 'file' }, ({ borrowed }) => borrowed.pis)
          .extend('pi', { scope: 'file' }, ({ borrowed }) => first(borrowed))
          .extend('ansible', { scope: 'file' }, ({ borrowed }) => borrowed.ansible)
          .extend('networks', { scope: 'file' }, ({ borrowed }) => borrowed.networks)
          // Only this one knows of tests. It asks for no Pi, but finds those that are there.
          .extend('conclusion', { auto: true }, async ({ task, signal, annotate }, { onCleanup }) => {
            current = { endsAt: endOf(task), signal }
            onCleanup(async () => {
              current = undefined
              if (!ofFile) return
              ofFile.tests++
              ofFile.failed ||= hasFailed(task)
              await mend(ofFile.borrowed)
              await concludeTest(
                { task, annotate },
                ofFile.borrowed.evidence,
                ofFile.borrowed.newRecords(),
                evidenceWishes(),
              )
            })
          })
      : base
          .extend('borrowed', async ({ task, signal, annotate }, { onCleanup }) => {
            const internet = wishes.internet ?? !task.tags?.includes('hermetic')
            const holder = task.fullTestName ?? task.name
            const mine = { endsAt: endOf(task), signal }
            const borrowed = await borrow(holder, plan, { ...wishes, internet }, signal, () => mine)
            onCleanup(async () => {
              await concludeTest(
                { task, annotate },
                borrowed.evidence,
                borrowed.newRecords(),
                evidenceWishes(),
              )
              await borrowed.giveBack(keepWish(hasFailed(task), holder))
            })
            return borrowed
          })
          .extend('pis', ({ borrowed }) => borrowed.pis)
          .extend('pi', ({ borrowed }) => first(borrowed))
          .extend('ansible', ({ borrowed }) => borrowed.ansible)
          .extend('networks', ({ borrowed }) => borrowed.networks)
  return test as unknown as TestAPI<RaspiFixtures>
}

/** A test with one fresh Pi. */
export const test: TestAPI<RaspiFixtures<'pi'>> = raspiTest()

function first({ pis }: Borrowed): Pi {
  const [pi] = Object.values(pis)
  if (!pi) throw new TypeError('raspiTest({ hosts }) names no host.')
  return pi
}

const hasFailed = ({ result, fails }: TestContext['task']) => result?.state === 'fail' && !fails

/** When the time of a test is over that has just begun, in ms since the epoch; nothing where it has as much as it takes. */
const endOf = ({ timeout }: TestContext['task']) =>
  timeout > 0 && Number.isFinite(timeout) ? Date.now() + timeout : undefined

/** Why the Pis of a test are left to the user, where they are. */
function keepWish(failed: boolean, holder: string): string | undefined {
  const { keep } = injected('raspiOptions')
  if (keep === 'none' || (keep === 'failed' && !failed)) return undefined
  return `kept after ${failed ? 'the failure of ' : ''}${holder}`
}

function evidenceWishes(): EvidenceWishes {
  const { evidence, coverage } = injected('raspiOptions')
  return { place: injected('raspiEvidence'), all: evidence === 'all', coverage: coverage !== false }
}
