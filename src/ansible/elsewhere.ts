import { RaspiError } from '../errors.ts'
import type { AnsibleEvent } from './events.ts'
import type { AnsibleTarget } from './inventory.ts'

/** Where Ansible's programs do not run on this host, their environment has the unix socket through which they are started. */
export const doorVariable = 'VITEST_RASPI_CONTROL_NODE'
/** There also: what a program needs, as JSON. */
export const needsVariable = 'VITEST_RASPI_CONTROL_NODE_NEEDS'
/** The program on the PATH there that runs any command where Ansible's programs run. */
export const anyProgram = 'vitest-raspi-control-node'

/** What one program needs of this host, or gives it, besides the project and the run's directory. */
export interface Needs {
  /** Ports of 127.0.0.1 that it connects to. */
  ports?: readonly number[]
  /** Files, and directories with all that is in them. */
  files?: readonly string[]
  /** What it makes, and somebody here is to read. */
  results?: readonly string[]
}

/** Whether Ansible's programs with this environment run elsewhere than on this host. */
export function runsElsewhere(env: NodeJS.ProcessEnv): boolean {
  return env[doorVariable] !== undefined
}

/**
 * The environment of one of Ansible's programs: `base`, with what the user has given for it over that. Where it runs
 * elsewhere its PATH stays: what it leads to stands for the programs there.
 */
export function programEnvironment(
  base: NodeJS.ProcessEnv,
  given: NodeJS.ProcessEnv = {},
): NodeJS.ProcessEnv {
  return { ...base, ...given, ...(runsElsewhere(base) ? { PATH: base.PATH } : {}) }
}

/** What tells `needs` to a program that runs elsewhere: more of its environment. Nothing where it runs here. */
export function needing(env: NodeJS.ProcessEnv, needs: Needs): NodeJS.ProcessEnv {
  return runsElsewhere(env) ? { [needsVariable]: JSON.stringify(needs) } : {}
}

/** The command that runs `file` where Ansible's programs run. */
export function besideAnsible(
  env: NodeJS.ProcessEnv,
  file: string,
  args: readonly string[],
): [file: string, args: string[]] {
  return runsElsewhere(env) ? [anyProgram, [file, ...args]] : [file, [...args]]
}

/** What in the environment of this host is meant for Ansible, wherever that runs. */
export function settingsOfAnsible(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('ANSIBLE_')))
}

/** Throws a `RaspiError` where `event` is of a task that would switch a Pi's BMC from elsewhere, which only ssh reaches. */
export function assertNoBmc(event: AnsibleEvent, targets: readonly Pick<AnsibleTarget, 'vars'>[]): void {
  if (event.event !== 'task' || !/(^|\.)ipmi_\w+$/.test(event.action)) return
  if (targets.every(({ vars }) => vars?.raspi_bmc === undefined)) return
  throw new RaspiError(
    'ansible',
    `${event.action} cannot reach the BMC of a Pi: Ansible runs in a container, from which only ssh leads to the Pis.`,
    { hint: 'Run Ansible on this host for such a playbook, or switch the Pi by `pi.power` and `pi.bmc`.' },
  )
}
