import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect, inject, type TestAPI, type TestContext } from 'vitest'
import type { Ansible } from '../ansible/ansible.ts'
import { findPlaybook } from '../ansible/playbooks.ts'
import { sourcesOf, sourcesOfInventory } from '../ansible/sources.ts'
import type { BoardOption } from '../board-option.ts'
import { parseReference } from '../image/reference.ts'
import type { ImageOption } from '../image-option.ts'
import { connectLab, type LabClient } from '../lab/client.ts'
import type { LentPi, PrepareStep } from '../lab/protocol.ts'
import { Network } from '../pi/network.ts'
import { Pi } from '../pi/pi.ts'
import { type PrepareOption, stepsOf } from '../prepare/options.ts'
import type { EvidencePi, EvidenceSource } from '../report/evidence.ts'
import { RecordingAnsible, type RunRecord, sourcesOfRun } from '../report/run-record.ts'
import { concludeHook, concludeTest, type EvidenceWishes } from './evidence.ts'
import {
  type AnsibleOptions,
  type HostOptions,
  type NetworkOptions,
  type Planner,
  plannerOf,
} from './plan.ts'
import { networksOf } from './test-networks.ts'
import './provided.ts'

/** What all tests made by {@link raspiTest} can be told. */
export interface CommonTestOptions {
  /** Whether each test has fresh Pis, or the tests of a file share theirs. @default 'test' */
  scope?: 'test' | 'file'
  /** Another image than the plugin's. */
  image?: ImageOption
  /** Another board than the plugin's. */
  board?: BoardOption
  /** How Ansible runs, where a call does not say otherwise. */
  ansible?: AnsibleOptions
  /**
   * Whether the Pis get to this machine and the world. Without, only ssh comes in. @default true, but false in tests with
   * the tag `hermetic`
   */
  internet?: boolean
}

/** What the tests made by {@link raspiTest} get. */
export interface RaspiTestOptions<Host extends string = string, Net extends string = string>
  extends CommonTestOptions {
  /** The Pis by their names in the inventory. @default `{ pi: {} }` */
  hosts?: Record<Host, HostOptions<Net>>
  /** What is to be said of networks that `hosts` names. The order of all is that in which they are named first. */
  networks?: Partial<Record<NoInfer<Net>, NetworkOptions>>
  /** What random faults of the networks depend on: with the same seed the same frames are lost. @default 'vitest-raspi' */
  seed?: string | number
  /**
   * A playbook, or several in their order, that prepare the Pis: run once, on all of `hosts` together, and frozen. Every
   * test starts from there, in this run and in later ones, until something that a playbook reads has changed. Where one
   * fails, the tests fail with it.
   */
  prepare?: PrepareOption
}

/** What the tests made by {@link raspiTest} get, with an inventory of the user's own. */
export interface InventoryTestOptions extends CommonTestOptions {
  /**
   * The inventory: a file, a directory, a script, a plugin's configuration, or several of them; relative to the project.
   * Each of its hosts is a Pi. Groups and variables are kept, addresses, users, ports and keys are the Pis'.
   */
  inventory: string | readonly string[]
  /** Only these hosts have a Pi: Ansible's patterns. The others are out of reach. @default all */
  limit?: string | readonly string[]
  /** Whether hosts with `ansible_connection: local` work on this machine, without a Pi; else they are refused. @default false */
  allowLocal?: boolean
}

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

interface Borrowed {
  pis: Record<string, Pi>
  networks: Record<string, Network>
  ansible: Ansible
  evidence: EvidenceSource
  /** The runs since it was called last. */
  newRecords(): RunRecord[]
  /** Shows a line to the user. */
  say(line: string): void
  /** Ends them, or leaves them to the user with the reason `keep`. */
  giveBack(keep: string | undefined): Promise<void>
}

/**
 * Makes a `test` whose fixtures are Pis: `pi` (the first), `pis` (all, by name) and `ansible`.
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
  let ofFile: { borrowed: Borrowed; tests: number; failed: boolean } | undefined
  // Two literal shapes: Vitest reads a fixture's scope and its parameters before it runs.
  const test =
    options.scope === 'file'
      ? base
          .extend('borrowed', { scope: 'file' }, async ({}, { onCleanup }) => {
            const file = expect.getState().testPath
            const borrowed = await borrow(file ?? 'a test file', plan, wishes, undefined)
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
          .extend('conclusion', { auto: true }, async ({ task, annotate }, { onCleanup }) => {
            onCleanup(async () => {
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
            const borrowed = await borrow(holder, plan, { ...wishes, internet }, signal)
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

/** What a test wants its Pis to be. */
interface Wishes extends Pick<RaspiTestOptions, 'image' | 'board' | 'internet' | 'networks' | 'seed'> {
  steps: PrepareStep[] | undefined
}

async function borrow(
  holder: string,
  planner: Planner,
  { image, board, steps, internet = true, networks: networkOptions = {}, seed = 'vitest-raspi' }: Wishes,
  signal: AbortSignal | undefined,
): Promise<Borrowed> {
  const provided = inject('raspiLab')
  const options = inject('raspiOptions')
  for (const { playbook } of steps ?? []) findPlaybook(playbook, provided.projectDir)
  const lab = await connectLab(provided.socket)
  const log = (line: string) => lab.say(line)
  const { projectDir } = provided
  const plan = await planner({ projectDir, runDir: provided.runDir, log, signal: lab.gone })
  const { hosts } = plan
  const testFile = expect.getState().testPath
  const { inventory } = plan.ansible
  if (testFile && inventory) lab.used(testFile, sourcesOfInventory(inventory.sources))
  // Beforehand: where the preparation fails, an edit is what is to come.
  for (const { playbook, args } of steps ?? [])
    if (testFile) lab.used(testFile, sourcesOf({ playbook, projectDir, places: [], args }))
  const wantedNetworks = networksOf(hosts, networkOptions, seed)
  const askedAt = Date.now()
  const lease = await lab.lease({
    holder,
    pis: Object.entries(hosts).map(([name, { bmc, power }]) => ({
      name,
      internet,
      bmc,
      off: power === 'off',
    })),
    networks: wantedNetworks,
    image: image ?? options.image,
    board: board ?? options.board,
    prepare: steps && { steps, hosts: Object.entries(hosts).map(([name, host]) => ({ name, ...host })) },
  })
  const lentAt = Date.now()
  // The test may have timed out in the meantime: then nobody would give the Pis back.
  if (signal?.aborted) {
    await lab.release(lease.id)
    throw signal.reason
  }
  const pis = Object.fromEntries(
    lease.pis.map((lent) => [lent.name, new Pi(lent, stopOf(lab, lent.number, signal), lab)]),
  )
  const networks = Object.fromEntries(
    (wantedNetworks?.networks ?? []).map(({ name }) => [
      name,
      new Network(name, (request) => lab.network(lease.id, name, request)),
    ]),
  )
  const runDir = mkdtempSync(join(provided.runDir, 'ansible-'))
  const over = new AbortController()
  const stops = lease.pis.map((lent) => stopOf(lab, lent.number, signal))
  const context = {
    ...plan.ansible,
    runDir,
    targets: Object.values(pis).map((pi) => ({
      ...pi.connection,
      name: pi.name,
      groups: hosts[pi.name]?.groups,
      vars: { ...labVars(pi), ...hosts[pi.name]?.vars },
      controlPath: pi.controlPath,
    })),
    timeoutMs: options.playbookTimeout,
    accelerate: options.accelerate,
    signal: AbortSignal.any([over.signal, ...stops]),
    log,
  }
  const ansible = new RecordingAnsible(context, (record) => {
    if (testFile) lab.used(testFile, sourcesOfRun(record, projectDir))
  })
  let told = 0
  return {
    pis,
    ansible,
    networks,
    evidence: {
      pis: lease.pis.map((lent) => watchLoss(lent, lab)),
      records: ansible.records,
      askedAt,
      lentAt,
      queuedMs: lease.queuedMs,
      projectDir,
      vars: plan.vars,
      networks: Object.values(networks),
    },
    newRecords() {
      const records = ansible.records.slice(told)
      told = ansible.records.length
      return records
    },
    say: log,
    async giveBack(keep) {
      over.abort()
      await (keep === undefined ? lab.release(lease.id) : lab.keep(lease.id, keep))
      rmSync(runDir, { recursive: true, force: true })
    },
  }
}

/** What playbooks are told of what a Pi has in a lab beside itself. */
function labVars({ nics, bmc }: Pi): Record<string, unknown> {
  const networks = nics.map(({ network, ...nic }) => [
    network,
    { ...nic, address: nic.address?.split('/')[0] },
  ])
  return {
    ...(nics.length > 0 ? { raspi_networks: Object.fromEntries(networks) } : {}),
    ...(bmc ? { raspi_bmc: bmc } : {}),
  }
}

/** Ends what a test has broken and not mended. Where that cannot be done, the next test tells. */
async function mend({ pis, networks }: Borrowed): Promise<void> {
  const broken = [...Object.values(networks), ...Object.values(pis).map(({ faults }) => faults)]
  await Promise.allSettled(broken.map((each) => each.clear()))
}

const hasFailed = ({ result, fails }: TestContext['task']) => result?.state === 'fail' && !fails

/** Why the Pis of a test are left to the user, where they are. */
function keepWish(failed: boolean, holder: string): string | undefined {
  const { keep } = inject('raspiOptions')
  if (keep === 'none' || (keep === 'failed' && !failed)) return undefined
  return `kept after ${failed ? 'the failure of ' : ''}${holder}`
}

function evidenceWishes(): EvidenceWishes {
  const { evidence, coverage } = inject('raspiOptions')
  return { place: inject('raspiEvidence'), all: evidence === 'all', coverage: coverage !== false }
}

function watchLoss(lent: LentPi, lab: LabClient): EvidencePi {
  const pi: EvidencePi = { lent }
  const lost = lab.lost(lent.number)
  lost.addEventListener('abort', () => Object.assign(pi, { lost: { at: Date.now(), reason: lost.reason } }))
  return pi
}

function stopOf(lab: LabClient, pi: number, signal: AbortSignal | undefined): AbortSignal {
  return AbortSignal.any([lab.gone, lab.lost(pi), ...(signal ? [signal] : [])])
}
