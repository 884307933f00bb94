import type { PiConnection } from '../pi/connection.ts'
import type { AnsibleConfig } from './config.ts'

/** A Pi as Ansible is to see it. */
export interface AnsibleTarget extends PiConnection {
  /** Its name in the inventory. */
  name: string
  /** The path of an open ssh connection to share. @default one of its own per playbook */
  controlPath?: string
  /** The groups it is in, besides `all`. */
  groups?: string[]
  /** Further variables of this host. */
  vars?: Record<string, unknown>
}

/** How long an ssh connection may take to come up, in s: four emulated Pis at once on two cores have been seen to take 17. */
const connectTimeout = 60

/**
 * The variables that decide which machine Ansible talks to, and with which keys. ssh's own configuration files are left
 * out, because a `Host *` in them (a proxy, a control path) is not meant for an emulated Pi.
 */
export function connectionVars(target: AnsibleTarget, controlDir: string): Record<string, string | number> {
  const options = [
    '-F none',
    sshOption('UserKnownHostsFile', target.knownHostsFile),
    '-o GlobalKnownHostsFile=/dev/null',
    '-o StrictHostKeyChecking=yes',
    '-o IdentitiesOnly=yes',
    '-o IdentityAgent=none',
  ]
  return {
    ansible_host: target.host,
    ansible_port: target.port,
    ansible_user: target.user,
    ansible_ssh_private_key_file: target.privateKeyFile.replaceAll('%', '%%'),
    ansible_ssh_common_args: options.join(' '),
    ansible_control_path_dir: controlDir,
    ...(target.controlPath === undefined ? {} : { ansible_control_path: target.controlPath }),
  }
}

/**
 * The inventory of `targets`: an object that as JSON is the YAML Ansible reads. Their connection is theirs; what only
 * makes them faster is set for the group `all`, where variables of the repository rank above it, and not at all where
 * the user's configuration has an opinion.
 */
export function inventoryOf(targets: readonly AnsibleTarget[], config: AnsibleConfig, controlDir: string) {
  const unlessSet = (name: string, value: unknown, settings: string[]) =>
    settings.some(config.isSet) ? {} : { [name]: value }
  const children: Record<string, { hosts: Record<string, object> }> = {}
  for (const { name, groups = [] } of targets) {
    for (const group of groups) children[group] = { hosts: { ...children[group]?.hosts, [name]: {} } }
  }
  return {
    all: {
      vars: {
        ...unlessSet('ansible_python_interpreter', '/usr/bin/python3', ['INTERPRETER_PYTHON']),
        // Half the round trips of each task: https://docs.ansible.com/ansible/latest/reference_appendices/config.html#ansible-pipelining
        ...unlessSet('ansible_pipelining', true, ['ANSIBLE_PIPELINING', 'ssh.pipelining']),
        ...unlessSet('ansible_ssh_timeout', connectTimeout, ['DEFAULT_TIMEOUT', 'ssh.timeout']),
      },
      hosts: Object.fromEntries(
        targets.map((target) => [target.name, { ...connectionVars(target, controlDir), ...target.vars }]),
      ),
      children,
    },
  }
}

// Quoted for ssh, which takes blanks for further files and % for a token, and then for Ansible, which splits like a shell.
function sshOption(name: string, path: string): string {
  const value = `${name}="${path.replaceAll('%', '%%')}"`
  return `-o '${value.replaceAll("'", `'\\''`)}'`
}
