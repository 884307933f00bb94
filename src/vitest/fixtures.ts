import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, inject, type TestAPI } from 'vitest'
import { Ansible } from '../ansible/ansible.ts'
import { connectLab, type LabClient } from '../lab/client.ts'
import { Pi } from '../pi/pi.ts'
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
  giveBack(): Promise<void>
}

/**
 * Makes a `test` whose fixtures are Pis: `pi` (the first), `pis` (all, by name) and `ansible`.
 * @example const test = raspiTest({ hosts: { web: { groups: ['webservers'] }, db: {} } })
 */
export function raspiTest<const Host extends string = 'pi'>(
  options: RaspiTestOptions<Host> = {},
): TestAPI<RaspiFixtures<Host>> {
  const hosts: Record<string, HostOptions> = options.hosts ?? { pi: {} }
  // Two literal shapes: Vitest reads a fixture's scope and its parameters before it runs.
  const test =
    options.scope === 'file'
      ? base.extend('borrowed', { scope: 'file' }, async ({}, { onCleanup }) => {
          const borrowed = await borrow('a test file', hosts, options.image, undefined)
          onCleanup(() => borrowed.giveBack())
          return borrowed
        })
          .extend('pis', { scope: 'file' }, ({ borrowed }) => borrowed.pis)
          .extend('pi', { scope: 'file' }, ({ borrowed }) => first(borrowed))
          .extend('ansible', { scope: 'file' }, ({ borrowed }) => borrowed.ansible)
      : base.extend('borrowed', async ({ task, signal }, { onCleanup }) => {
          const borrowed = await borrow(task.fullTestName ?? task.name, hosts, options.image, signal)
          onCleanup(() => borrowed.giveBack())
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
  // The test may have timed out in the meantime: then nobody would give the Pis back.
  if (signal?.aborted) {
    await lab.release(lease.id)
    throw signal.reason
  }
  const pis = Object.fromEntries(lease.pis.map((lent) => [lent.name, new Pi(lent, stopOf(lab, lent.number, signal))]))
  const runDir = mkdtempSync(join(provided.runDir, 'ansible-'))
  const over = new AbortController()
  const stops = lease.pis.map((lent) => stopOf(lab, lent.number, signal))
  const ansible = new Ansible({
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
  return {
    pis,
    ansible,
    async giveBack() {
      over.abort()
      await lab.release(lease.id)
      rmSync(runDir, { recursive: true, force: true })
    },
  }
}

function stopOf(lab: LabClient, pi: number, signal: AbortSignal | undefined): AbortSignal {
  return AbortSignal.any([lab.gone, lab.lost(pi), ...(signal ? [signal] : [])])
}
