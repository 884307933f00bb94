import type { AnsibleContext } from '../ansible/ansible.ts'
import { programEnvironment } from '../ansible/elsewhere.ts'
import { installRequirements } from '../ansible/galaxy.ts'
import { hostsForPis, limitedHosts, readInventory } from '../ansible/user-inventory.ts'
import { type VaultOptions, vaultArguments } from '../ansible/vault.ts'
import { RaspiError } from '../errors.ts'
import type { Log } from '../host/progress.ts'

/** What a Pi of `raspiTest({ hosts })` is like. */
export interface HostOptions<Network extends string = string> {
  /** The inventory's groups it is in. */
  groups?: string[]
  /** Variables of this host. */
  vars?: Record<string, unknown>
  /**
   * The networks it is on, in the order of its NICs: `eth1` is on the first. It has an address on each, and reaches the
   * other Pis there by their names. @default none
   */
  networks?: readonly Network[]
  /**
   * `'enrolled'`: a node that is known and nothing more, off and with nothing on its card, until `pi.provision` makes
   * something of it; `power` is about the others. @default 'active'
   */
  state?: 'active' | 'enrolled'
  /** Whether it has a BMC, which switches its power by IPMI: `pi.bmc`. Needs openipmi's ipmi_sim. @default false */
  bmc?: boolean
  /** Whether the test gets it switched on, or has to do that itself. @default 'on' */
  power?: 'on' | 'off'
}

/** What a network of `raspiTest({ networks })` is like. */
export interface NetworkOptions {
  /** Whether Pis have an address on it from the start; else they ask whoever serves DHCP there. @default true */
  addresses?: boolean
  /**
   * Whether they get that address by DHCP, from a dnsmasq that the lab has there. Needs dnsmasq, and a host that lets us
   * make a network namespace with a tap. @default false
   */
  dhcp?: boolean
}

/** How Ansible runs in all tests of a `raspiTest`, where a call does not say otherwise. */
export interface AnsibleOptions extends VaultOptions {
  /** Installs the roles and collections of this file, or of `requirements.yml`, for the time of the run. */
  requirements?: true | string
  /** Environment variables besides those of the process. */
  env?: Record<string, string | undefined>
}

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
