import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect, inject, type TestAPI, type TestContext } from 'vitest'
import type { Ansible } from '../ansible/ansible.ts'
import { connectLab, type LabClient } from '../lab/client.ts'
import type { LentPi } from '../lab/protocol.ts'
import { Pi } from '../pi/pi.ts'
import type { EvidencePi, EvidenceSource } from '../report/evidence.ts'
import { RecordingAnsible, type RunRecord } from '../report/run-record.ts'
import { concludeHook, concludeTest, type EvidenceWishes } from './evidence.ts'
import './provided.ts'

/** What a Pi of {@link RaspiTestOptions.hosts} is like. */
export interface HostOptions {
  /** The inventory's groups it is in. */
  groups?: string[]
  /** Variables of this host. */
  vars?: Record<string, unknown>
}

/** What the tests made by {@link raspiTest} get. */
export interface RaspiTestOptions<Host extends string = string> {
  /** Whether each test has fresh Pis, or the tests of a file share theirs. @default 'test' */
  scope?: 'test' | 'file'
  /** The Pis by their names in the inventory. @default `{ pi: {} }` */
  hosts?: Record<Host, HostOptions>
  /** Another image than the plugin's. */
  image?: string
}

/** The fixtures of a test with Pis. */
export interface RaspiFixtures<Host extends string = string> {
  /** The Pis, by name. */
  pis: Record<Host, Pi>
  /** The first Pi. */
  pi: Pi
  /** Ansible, with an inventory of these Pis. */
  ansible: Ansible
}

interface Borrowed {
  pis: Record<string, Pi>
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
 */
export function raspiTest<const Host extends string = 'pi'>(
  options: RaspiTestOptions<Host> = {},
): TestAPI<RaspiFixtures<Host>> {
  const hosts: Record<string, HostOptions> = options.hosts ?? { pi: {} }
  let ofFile: { borrowed: Borrowed; tests: number; failed: boolean } | undefined
  // Two literal shapes: Vitest reads a fixture's scope and its parameters before it runs.
  const test =
    options.scope === 'file'
      ? base
          .extend('borrowed', { scope: 'file' }, async ({}, { onCleanup }) => {
            const file = expect.getState().testPath
            const borrowed = await borrow(file ?? 'a test file', hosts, options.image, undefined)
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
          // Only this one knows of tests. It asks for no Pi, but finds those that are there.
          .extend('conclusion', { auto: true }, async ({ task, annotate }, { onCleanup }) => {
            onCleanup(async () => {
              if (!ofFile) return
              ofFile.tests++
              ofFile.failed ||= hasFailed(task)
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
            const borrowed = await borrow(task.fullTestName ?? task.name, hosts, options.image, signal)
            onCleanup(async () => {
              await concludeTest(
                { task, annotate },
                borrowed.evidence,
                borrowed.newRecords(),
                evidenceWishes(),
              )
              await borrowed.giveBack(keepWish(hasFailed(task), task.fullTestName ?? task.name))
            })
            return borrowed
          })
          .extend('pis', ({ borrowed }) => borrowed.pis)
          .extend('pi', ({ borrowed }) => first(borrowed))
          .extend('ansible', ({ borrowed }) => borrowed.ansible)
  return test as unknown as TestAPI<RaspiFixtures<Host>>
}

/** A test with one fresh Pi. */
export const test: TestAPI<RaspiFixtures<'pi'>> = raspiTest()

function first({ pis }: Borrowed): Pi {
  const [pi] = Object.values(pis)
  if (!pi) throw new TypeError('raspiTest({ hosts }) names no host.')
  return pi
}

async function borrow(
  holder: string,
  hosts: Record<string, HostOptions>,
  image: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Borrowed> {
  const provided = inject('raspiLab')
  const options = inject('raspiOptions')
  const lab = await connectLab(provided.socket)
  const lease = await lab.lease({
    holder,
    pis: Object.keys(hosts).map((name) => ({ name })),
    image: image ?? options.image,
    board: options.board,
  })
  const lentAt = Date.now()
  // The test may have timed out in the meantime: then nobody would give the Pis back.
  if (signal?.aborted) {
    await lab.release(lease.id)
    throw signal.reason
  }
  const pis = Object.fromEntries(
    lease.pis.map((lent) => [lent.name, new Pi(lent, stopOf(lab, lent.number, signal))]),
  )
  const runDir = mkdtempSync(join(provided.runDir, 'ansible-'))
  const over = new AbortController()
  const stops = lease.pis.map((lent) => stopOf(lab, lent.number, signal))
  const ansible = new RecordingAnsible({
    projectDir: provided.projectDir,
    runDir,
    targets: Object.values(pis).map((pi) => ({
      ...pi.connection,
      name: pi.name,
      ...hosts[pi.name],
      controlPath: pi.controlPath,
    })),
    timeoutMs: options.playbookTimeout,
    signal: AbortSignal.any([over.signal, ...stops]),
    log: (line) => lab.say(line),
  })
  let told = 0
  return {
    pis,
    ansible,
    evidence: {
      pis: lease.pis.map((lent) => watchLoss(lent, lab)),
      records: ansible.records,
      lentAt,
      queuedMs: lease.queuedMs,
      projectDir: provided.projectDir,
      vars: hosts,
    },
    newRecords() {
      const records = ansible.records.slice(told)
      told = ansible.records.length
      return records
    },
    say: (line) => lab.say(line),
    async giveBack(keep) {
      over.abort()
      await (keep === undefined ? lab.release(lease.id) : lab.keep(lease.id, keep))
      rmSync(runDir, { recursive: true, force: true })
    },
  }
}

const hasFailed = ({ result, fails }: TestContext['task']) => result?.state === 'fail' && !fails

/** Why the Pis of a test are left to the user, where they are. */
function keepWish(failed: boolean, holder: string): string | undefined {
  const { keep } = inject('raspiOptions')
  if (keep === 'none' || (keep === 'failed' && !failed)) return undefined
  return `kept after ${failed ? 'the failure of ' : ''}${holder}`
}

function evidenceWishes(): EvidenceWishes {
  return { place: inject('raspiEvidence'), all: inject('raspiOptions').evidence === 'all' }
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
