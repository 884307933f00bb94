import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Ansible } from '../ansible/ansible.ts'
import { settingsOfAnsible } from '../ansible/elsewhere.ts'
import { findPlaybook } from '../ansible/playbooks.ts'
import { sourcesOf, sourcesOfInventory } from '../ansible/sources.ts'
import { RaspiError } from '../errors.ts'
import { connectLab, type LabClient } from '../lab/client.ts'
import { labVars } from '../lab/lab-vars.ts'
import type { LentPi, PrepareStep } from '../lab/protocol.ts'
import { Network } from '../pi/network.ts'
import { Pi, type PiControl } from '../pi/pi.ts'
import { withDefaults } from '../prepare/options.ts'
import type { EvidencePi, EvidenceSource } from '../report/evidence.ts'
import { RecordingAnsible, type RunRecord, sourcesOfRun } from '../report/run-record.ts'
import { injected } from './injected.ts'
import { ownVariables } from './own-variables.ts'
import type { Planner } from './plan.ts'
import { networksOf } from './test-networks.ts'
import type { RaspiTestOptions } from './test-options.ts'

/** What a test has for its time: Pis, what is between them, and what it does with them. */
export interface Borrowed {
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

/** What a test wants its Pis to be. */
export interface Wishes extends Pick<RaspiTestOptions, 'image' | 'board' | 'internet' | 'networks' | 'seed'> {
  steps: PrepareStep[] | undefined
}

/** The test that has the Pis at a moment. */
export interface CurrentTest {
  /** When its time is over, in ms since the epoch; nothing where it has as much as it takes. */
  endsAt: number | undefined
  /** Aborts when it is cut short. */
  signal: AbortSignal
}

/** Borrows the Pis that `planner` plans from the run's lab. Throws the lab's `RaspiError` where they cannot be had. */
export async function borrow(
  holder: string,
  planner: Planner,
  { image, board, steps, internet = true, networks: networkOptions = {}, seed = 'vitest-raspi' }: Wishes,
  signal: AbortSignal | undefined,
  /** The test that has the Pis now, where one has. */
  current: () => CurrentTest | undefined,
): Promise<Borrowed> {
  const provided = injected('raspiLab')
  const options = injected('raspiOptions')
  for (const { playbook } of steps ?? []) findPlaybook(playbook, provided.projectDir)
  const lab = await connectLab(provided.socket)
  const log = (line: string) => lab.say(line)
  const { projectDir } = provided
  const { replaced } = provided
  const elsewhere = options.ansible && (await programEnvElsewhere(lab))
  // Each time anew: a test may set variables while it has the Pis.
  const programEnv = () => elsewhere ?? ownVariables(replaced)
  const plan = await planner({
    ...{ projectDir, runDir: provided.runDir, log, signal: lab.gone },
    programEnv: programEnv(),
  })
  const { hosts } = plan
  const testFile = expect.getState().testPath
  const { inventory } = plan.ansible
  if (testFile && inventory) lab.used(testFile, sourcesOfInventory(inventory.sources))
  // Beforehand: where the preparation fails, an edit is what is to come.
  for (const { playbook, args } of steps ?? [])
    if (testFile) lab.used(testFile, sourcesOf({ playbook, projectDir, places: [], args }))
  const wantedNetworks = networksOf(hosts, networkOptions, seed)
  // Where it cannot be made, nobody is to have Pis that nobody would give back.
  const runDir = mkdtempSync(join(provided.runDir, 'ansible-'))
  const askedAt = Date.now()
  const lease = await lab.lease({
    holder,
    pis: Object.entries(hosts).map(([name, { bmc, power, state }]) => ({
      ...{ name, internet, bmc },
      ...{ off: power === 'off', enrolled: state === 'enrolled' },
    })),
    networks: wantedNetworks,
    image: image ?? options.image,
    board: board ?? options.board,
    prepare: steps && {
      steps: withDefaults(steps, plan.ansible.defaults ?? {}),
      hosts: Object.entries(hosts).map(([name, host]) => ({ name, ...host })),
      paths: plan.ansible.paths,
    },
  })
  const lentAt = Date.now()
  // The test may have timed out in the meantime: then nobody would give the Pis back.
  if (signal?.aborted) {
    await lab.release(lease.id)
    throw signal.reason
  }
  const control: PiControl = {
    ...lab,
    pause: (pi, name, what) => lab.pause(pi, { holder, name, what, endsAt: current()?.endsAt }),
  }
  const over = new AbortController()
  const ends = [lab.gone, over.signal, ...(signal ? [signal] : [])]
  const held = lease.pis.map((lent) => ({ lent, stop: AbortSignal.any([lab.lost(lent.number), ...ends]) }))
  const pis = Object.fromEntries(held.map(({ lent, stop }) => [lent.name, new Pi(lent, stop, control)]))
  const networks = Object.fromEntries(
    (wantedNetworks?.networks ?? []).map(({ name }) => [
      name,
      new Network(name, (request) => lab.network(lease.id, name, request)),
    ]),
  )
  const context = {
    ...plan.ansible,
    runDir,
    get programEnv() {
      return programEnv()
    },
    // For each run anew: a Pi that was deployed may have another user.
    get targets() {
      return Object.values(pis).map((pi) => ({
        ...pi.connection,
        name: pi.name,
        groups: hosts[pi.name]?.groups,
        vars: { ...labVars(pi), ...hosts[pi.name]?.vars },
        ...{ controlPath: pi.controlPath, hardware: pi.hardware },
      }))
    },
    timeoutMs: options.playbookTimeout,
    accelerate: options.accelerate,
    // What a test began that was cut short is not to go on under the next one.
    get signal() {
      const test = current()
      return AbortSignal.any([...held.map(({ stop }) => stop), ...(test ? [test.signal] : [])])
    },
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
      over.abort(new RaspiError('lab', 'The test has given its Pis back.'))
      if (keep === undefined) await lab.release(lease.id)
      else {
        await Promise.all(Object.values(networks).map((network) => network.endCaptures()))
        await lab.keep(lease.id, keep)
      }
      // An Ansible that was cut off may still be ending.
      rmSync(runDir, { recursive: true, force: true, maxRetries: 2 })
    },
  }
}

/** What leads to the container that Ansible runs in, which is started where nobody has needed it yet. */
async function programEnvElsewhere(lab: LabClient): Promise<NodeJS.ProcessEnv> {
  return { ...settingsOfAnsible(process.env), ...(await lab.controlNode()) }
}

/** Ends what a test has broken and not mended. Where that cannot be done, the next test tells. */
export async function mend({ pis, networks }: Borrowed): Promise<void> {
  const broken = [...Object.values(networks), ...Object.values(pis).map(({ faults }) => faults)]
  await Promise.allSettled(broken.map((each) => each.clear()))
}

function watchLoss(lent: LentPi, lab: LabClient): EvidencePi {
  const pi: EvidencePi = { lent }
  const lost = lab.lost(lent.number)
  lost.addEventListener('abort', () => Object.assign(pi, { lost: { at: Date.now(), reason: lost.reason } }))
  return pi
}
