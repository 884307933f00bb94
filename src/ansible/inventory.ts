import { createHash } from 'node:crypto'
import { quote } from '../host/quote.ts'
import type { Hardware } from '../machine/hardware.ts'
import type { PiConnection } from '../pi/connection.ts'
import type { AnsibleConfig } from './config.ts'
import type { UserInventory } from './user-inventory.ts'

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
  /** What it is, where somebody is to know. */
  hardware?: Hardware | undefined
}

/** How long an ssh connection may take to come up, in s: four emulated Pis at once on two cores have been seen to take 17. */
const connectTimeout = 60

/** Always: `-J bastion` in an ansible.cfg's ssh_extra_args is an error to ssh beside a ProxyCommand, and sftp and scp take it too. */
const withoutExtraArgs = {
  ansible_ssh_extra_args: '',
  ansible_scp_extra_args: '',
  ansible_sftp_extra_args: '',
}

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
    // First of its kind, so that no ProxyJump of a task's variables comes into effect.
    '-o ProxyCommand=none',
  ]
  return {
    ansible_host: target.host,
    ansible_port: target.port,
    ansible_user: target.user,
    ansible_ssh_private_key_file: target.privateKeyFile.replaceAll('%', '%%'),
    ansible_ssh_common_args: options.join(' '),
    // Ahead of the common ones, and in ansible.cfg most often for a bastion or another control path.
    ansible_ssh_args: '-o ControlMaster=auto -o ControlPersist=60s',
    ...withoutExtraArgs,
    ansible_control_path_dir: controlDir,
    // Always: one of an ansible.cfg may be the same for all ports, and so lead to another Pi.
    ansible_control_path: target.controlPath ?? `%(directory)s/${socketName(target)}`,
  }
}

/** A variable of a connection: null where it is taken away. */
export type ConnectionVariable = string | number | boolean | null

/** What no variables file of the repository may change of one host's connection. */
export interface Connection {
  /** Set always. */
  always: Record<string, ConnectionVariable>
  /** Set where the repository has a variable of this name: another name for the same, or what is meant for a real machine. */
  ifSet: Record<string, ConnectionVariable>
  /** Whether it is refused that a variable leads the host's tasks elsewhere than through ssh (`ansible_connection: local`). */
  sshOnly: boolean
}

/**
 * The connection to `target`, safe against all names by which a repository may say where the real machine is. The ssh
 * plugin takes the last of several names that is set, so that `ansible_ssh_host` would win against our `ansible_host`:
 * https://github.com/ansible/ansible/blob/v2.14.18/lib/ansible/plugins/connection/ssh.py (DOCUMENTATION)
 */
export function connectionTo(target: AnsibleTarget, controlDir: string): Connection {
  const always = connectionVars(target, controlDir)
  const sshOnly = target.vars?.ansible_connection === undefined
  return {
    always,
    ifSet: {
      ...{ ansible_ssh_host: target.host, ansible_ssh_port: target.port, ansible_ssh_user: target.user },
      ...{ ansible_host_key_checking: true, ansible_ssh_host_key_checking: true },
      // With a password Ansible wants sshpass, though the Pi takes our key.
      ...{ ansible_password: null, ansible_ssh_pass: null, ansible_ssh_password: null },
      ...{ ansible_ssh_executable: null, ansible_ssh_pkcs11_provider: null },
      // Not always: as a variable it would outrank the keyword of a play with `connection: local`, which is legitimate.
      ...(sshOnly ? { ansible_connection: 'ssh' } : {}),
    },
    sshOnly,
  }
}

/** The connection to a host of the user's inventory that has no Pi: none, whatever its address is. */
export function noConnection(host: string): Connection {
  // ssh puts `exec` before it, which is for one command only.
  const say = `sh -c ${quote(`echo ${quote(`${host} has no emulated Pi in this test`)} >&2; exit 1`)}`
  return {
    always: {
      // ssh runs this instead of connecting, and looks up no name: no packet leaves.
      ansible_ssh_common_args: `-F none -o ControlPath=none -o ${quote(`ProxyCommand=${say}`)}`,
      ansible_ssh_args: '-o ControlMaster=no',
      ansible_control_path: 'none',
      ...withoutExtraArgs,
    },
    ifSet: {
      ...{ ansible_password: null, ansible_ssh_pass: null, ansible_ssh_password: null },
      // Also where it is another kind: without ssh there would be nothing to keep it from its machine.
      ...{ ansible_ssh_executable: null, ansible_connection: 'ssh' },
    },
    sshOnly: false,
  }
}

/**
 * The inventory of `targets`, to be read after the user's `own` where there is one: an object that as JSON is the YAML
 * Ansible reads. Their connection is theirs; what only
 * makes them faster is set for the group `all`, where variables of the repository rank above it, and not at all where
 * the user's configuration has an opinion.
 */
export function inventoryOf(
  targets: readonly AnsibleTarget[],
  config: AnsibleConfig,
  controlDir: string,
  own?: UserInventory,
) {
  // A variable that the whole of the user's inventory has may be one of its group `all`, which ours, read last, would beat.
  const known = (name: string) =>
    own !== undefined && targets.every((target) => own.vars[target.name]?.[name] !== undefined)
  const unlessSet = (name: string, value: unknown, settings: string[]) =>
    settings.some(config.isSet) || known(name) ? {} : { [name]: value }
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

// As long as Ansible's own name would be: a socket's path has room for little.
const socketName = ({ name }: AnsibleTarget) => createHash('sha1').update(name).digest('hex').slice(0, 10)

// Quoted for ssh, which takes blanks for further files and % for a token, and then for Ansible, which splits like a shell.
function sshOption(name: string, path: string): string {
  const value = `${name}="${path.replaceAll('%', '%%')}"`
  return `-o '${value.replaceAll("'", `'\\''`)}'`
}
