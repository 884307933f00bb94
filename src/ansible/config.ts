import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { messageOf, RaspiError } from '../errors.ts'
import { statsOf } from '../host/stats-of.ts'
import { askingEnvironment } from './asking.ts'

/** What Ansible's configuration comes to, from ansible.cfg, the environment and the defaults. */
export interface AnsibleConfig {
  /**
   * The value of a setting (`DEFAULT_LOCAL_TMP`); of ssh's own with `ssh.` before its name (`ssh.pipelining`). Not that of
   * one that {@link askingEnvironment} replaces.
   */
  value(name: string): unknown
  /** Whether the user has set it, in an ansible.cfg or in the environment. */
  isSet(name: string): boolean
}

interface Entry {
  name: string
  origin: string
  value: unknown
}

const known = new Map<string, Promise<AnsibleConfig>>()

/**
 * Asks `ansible-config dump` (0.4 s) what ansible-playbook would take for its configuration in `cwd` with `env`; the
 * answer is kept as long as these and the ansible.cfg stay the same. Asking Ansible itself, because an environment
 * variable replaces what ansible.cfg says, so that adding to a search path takes knowing it.
 * Throws a `RaspiError` where Ansible is missing or its configuration is wrong.
 */
export function readConfig(
  ansiblePlaybook: string,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<AnsibleConfig> {
  const key = JSON.stringify([ansiblePlaybook, cwd, relevant(env), candidates(cwd, env).map(modified)])
  let config = known.get(key)
  if (!config) {
    config = dump(ansiblePlaybook, cwd, env)
    config.catch(() => known.delete(key))
    known.set(key, config)
  }
  return config
}

/** The error for a host without Ansible. */
export function ansibleMissing(program: string, cause?: unknown): RaspiError {
  return new RaspiError('ansible', `${program} was not found: Ansible is not installed, or not on the PATH`, {
    hint: 'Install it: `npx vitest-raspi doctor --fix`, or `pipx install ansible-core`.',
    cause,
  })
}

/** Reads what `ansible-config dump -t all --format json` prints. */
export function parseConfig(json: string): AnsibleConfig {
  const entries = new Map<string, Entry>()
  for (const entry of JSON.parse(json)) {
    if (typeof entry.name === 'string') entries.set(entry.name, entry)
    // The plugins' own settings: { CONNECTION_PLUGINS: [{ ssh: [entry, …] }, …] }
    for (const plugin of entry.CONNECTION_PLUGINS ?? []) {
      for (const setting of plugin.ssh ?? []) entries.set(`ssh.${setting.name}`, setting)
    }
  }
  return {
    value: (name) => entries.get(name)?.value,
    isSet: (name) => !['default', 'REQUIRED', undefined].includes(entries.get(name)?.origin),
  }
}

async function dump(ansiblePlaybook: string, cwd: string, env: NodeJS.ProcessEnv): Promise<AnsibleConfig> {
  // Beside ansible-playbook, where that is given with its directory; else on the PATH as well.
  const directory = dirname(ansiblePlaybook)
  const program = directory === '.' ? 'ansible-config' : join(directory, 'ansible-config')
  const result = await execa(program, ['dump', '-t', 'all', '--format', 'json'], {
    cwd,
    // It loads all plugins, the user's too, for their settings.
    env: askingEnvironment(env),
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: 60_000,
  })
  if (result.code === 'ENOENT') throw ansibleMissing(ansiblePlaybook, result.cause)
  if (result.exitCode !== 0) {
    throw new RaspiError('ansible', `Ansible's configuration cannot be read: ${firstError(result.stderr)}`, {
      hint: `Run \`ansible-config dump\` in ${cwd} to see for yourself.`,
    })
  }
  try {
    return parseConfig(result.stdout)
  } catch (error) {
    throw new RaspiError('ansible', `ansible-config printed no JSON: ${messageOf(error)}`, {
      hint: 'ansible-core 2.14 or later is needed; see `ansible --version`.',
      cause: error,
    })
  }
}

const firstError = (stderr: string) =>
  stderr.match(/^(?:ERROR[!:]|\[ERROR\]:) *(.*)/m)?.[1] ?? stderr.trim().split('\n').at(-1) ?? ''

const relevant = (env: NodeJS.ProcessEnv) =>
  Object.entries(env).filter(([name]) => /^(ANSIBLE_|HOME$|PATH$|VIRTUAL_ENV$)/.test(name))

// https://docs.ansible.com/ansible/latest/reference_appendices/config.html#the-configuration-file
const candidates = (cwd: string, env: NodeJS.ProcessEnv) => [
  env.ANSIBLE_CONFIG ?? '',
  join(cwd, 'ansible.cfg'),
  join(env.HOME ?? homedir(), '.ansible.cfg'),
  '/etc/ansible/ansible.cfg',
]

const modified = (file: string) => statsOf(file)?.mtimeMs
