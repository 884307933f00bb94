import type { AnsibleContext } from '../ansible/ansible.ts'
import { programEnvironment } from '../ansible/elsewhere.ts'
import { installRequirements } from '../ansible/galaxy.ts'
import { hostsForPis, limitedHosts, readInventory } from '../ansible/user-inventory.ts'
import { vaultArguments } from '../ansible/vault.ts'
import { RaspiError } from '../errors.ts'
import type { Log } from '../host/progress.ts'
import type { AnsibleOptions, HostOptions } from './test-options.ts'

/** The part of `raspiTest`'s options that says which Pis there are, and how Ansible sees them. */
export interface PlanOptions {
  hosts?: Record<string, HostOptions> | undefined
  inventory?: string | readonly string[] | undefined
  limit?: string | readonly string[] | undefined
  allowLocal?: boolean | undefined
  ansible?: AnsibleOptions | undefined
  prepare?: unknown
}

/** Which Pis a test needs, and what its Ansible works with. */
export interface Plan {
  /** The Pis, by name. */
  hosts: Record<string, HostOptions>
  ansible: Pick<
    AnsibleContext,
    'projectDir' | 'cwd' | 'inventory' | 'localHosts' | 'vaultDirs' | 'defaults' | 'paths'
  >
  /** Variables whose values may be secret. */
  vars: unknown
}

/** Where a plan is made. */
export interface PlanPlace {
  projectDir: string
  /** The run's directory, for what is made once for all workers. */
  runDir: string
  /** What Ansible's programs have in their environment where no option says otherwise. */
  programEnv: NodeJS.ProcessEnv
  log: Log
  /** Aborts when the lab is gone. */
  signal: AbortSignal
}

/** Makes the plan when the first test asks for Pis: a test file is collected without Ansible. */
export type Planner = (place: PlanPlace) => Promise<Plan>

/** The planner for the options of `raspiTest`. Throws a `RaspiError` where they contradict each other. */
export function plannerOf(options: PlanOptions): Planner {
  const { hosts, inventory, limit, allowLocal, ansible = {} } = options
  if (inventory === undefined) {
    const only = [limit !== undefined && 'limit', allowLocal !== undefined && 'allowLocal'].filter(Boolean)
    if (only.length > 0)
      throw new RaspiError(
        'options',
        `raspiTest({ ${only.join(', ')} }) is about an inventory, and none is given.`,
      )
    const pis = hosts ?? { pi: {} }
    for (const [name, { state, power }] of Object.entries(pis)) {
      if (state !== 'enrolled' || power !== 'on') continue
      throw new RaspiError(
        'options',
        `${name} cannot be enrolled and switched on: there is nothing on its card.`,
        { hint: 'Leave its power out, and deploy it in the test: await pi.provision.deploy().' },
      )
    }
    return async (place) => ({ hosts: pis, ansible: await common(ansible, place), vars: pis })
  }
  if (hosts !== undefined)
    throw new RaspiError('options', 'raspiTest() takes either `hosts` or an `inventory`: both were given.', {
      hint: 'Choose some of the inventory’s hosts with `limit`.',
    })
  // A layer is made by the lab, which knows only the hosts that `raspiTest({ hosts })` names.
  if (options.prepare !== undefined)
    throw new RaspiError('options', 'raspiTest({ prepare }) cannot be had together with an `inventory`.', {
      hint: 'Name the Pis with `hosts`, their groups and variables, or run the playbook in the tests.',
    })
  return kept(async (place) => {
    const { projectDir, signal } = place
    const context = {
      ...{
        projectDir,
        signal,
        args: vaultArguments(ansible),
        env: programEnvironment(place.programEnv, ansible.env),
      },
    }
    const settings = await common(ansible, place)
    const read = await readInventory(inventory, context)
    const chosen = limit === undefined ? read.hosts : await limitedHosts(read, limit, context)
    const { pis, local } = hostsForPis(read, chosen, allowLocal ?? false)
    return {
      hosts: Object.fromEntries(pis.map((name) => [name, {}])),
      ansible: { ...settings, inventory: read, localHosts: local },
      vars: read.vars,
    }
  })
}

/** A planner that plans once per worker: what it found, or why it could not, is the same for all tests. */
export function kept(planner: Planner): Planner {
  let plan: Promise<Plan> | undefined
  return (place) => {
    plan ??= planner(place)
    return plan
  }
}

async function common(
  { requirements, ...defaults }: AnsibleOptions,
  place: PlanPlace,
): Promise<Plan['ansible']> {
  const { projectDir, programEnv } = place
  const paths =
    requirements === undefined
      ? undefined
      : await installRequirements(requirements, {
          ...place,
          env: programEnvironment(programEnv, defaults.env),
        })
  return { projectDir, defaults, paths }
}
