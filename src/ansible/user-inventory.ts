import { existsSync } from 'node:fs'
import { devNull } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import { messageOf, RaspiError } from '../errors.ts'
import { duration } from '../host/progress.ts'
import { shownPath } from '../host/shown-path.ts'
import { supervise } from '../host/supervise.ts'
import { askingEnvironment } from './asking.ts'
import { ansibleMissing, readConfig } from './config.ts'
import { needing } from './elsewhere.ts'
import { detailsOfWarnings, parseError, parseWarnings } from './messages.ts'
import { partsOf } from './pattern.ts'
import { vaultHint, vaultProblem } from './vault.ts'

/** What a group of an inventory names itself. */
export interface InventoryGroup {
  hosts: string[]
  children: string[]
}

/** The user's own inventory, as Ansible reads it. */
export interface UserInventory {
  /** What `-i` is given: absolute paths, or lists of hosts with a comma. */
  sources: string[]
  /** All hosts, in the inventory's order. */
  hosts: string[]
  /** All groups but `all` and `ungrouped`, by their names. */
  groups: Record<string, InventoryGroup>
  /** Each host's variables, those of its groups among them; may hold secrets. */
  vars: Record<string, Record<string, unknown>>
}

/** What reading an inventory takes. */
export interface InventoryContext {
  /** Where paths are relative to, and where Ansible looks for its configuration. */
  projectDir: string
  /** Whether variables count that lie beside the playbooks in `projectDir`. @default true */
  playbookVars?: boolean
  /** Further arguments: where the passwords of vaults are. */
  args?: readonly string[]
  env?: NodeJS.ProcessEnv
  /** How long it may take, in ms. @default 60_000 */
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

/** An inventory plugin may ask a cloud; a script may hang. In ms. */
const patienceMs = 60_000

/**
 * Reads the user's inventory through `ansible-inventory --list`: files, directories, scripts, plugins, or lists of hosts
 * (`'web,db,'`). Throws a `RaspiError` where a source is not there, cannot be parsed or does not answer in time.
 */
export async function readInventory(
  inventory: string | readonly string[],
  context: InventoryContext,
): Promise<UserInventory> {
  const { projectDir, playbookVars = true, env = process.env } = context
  const given = [inventory].flat()
  if (given.length === 0 || given.some((source) => source === ''))
    throw new RaspiError('options', 'An inventory is a path, or a list of paths: an empty one was given.')
  const sources = given.map((source) => sourceOf(source, projectDir))
  // A group_vars directory most often lies beside the playbooks. Without the option Ansible takes the working directory for
  // theirs, and what is no directory has none.
  // It ranks above the user's setting, and whoever says where they are may have the inventory's plugins there.
  const config = await readConfig('ansible-playbook', { cwd: projectDir, env })
  const beside = config.isSet('PLAYBOOK_DIR') ? [] : [`--playbook-dir=${playbookVars ? projectDir : devNull}`]
  const args = ['--list', ...beside]
  const { stdout, stderr } = await ask('ansible-inventory', sources, given, args, context)
  const unparsed = parseWarnings(stderr).warnings.find((warning) =>
    sources.some((source) => warning.startsWith(`Unable to parse ${source} as an inventory source`)),
  )
  if (unparsed) throw unreadable(given, unparsed, stderr)
  return { sources, ...parseInventory(stdout) }
}

/** Reads what `ansible-inventory --list` prints. */
export function parseInventory(json: string): Omit<UserInventory, 'sources'> {
  let listed: Record<string, { hosts?: string[]; children?: string[] }> & {
    _meta?: { hostvars?: Record<string, Record<string, unknown>> }
  }
  try {
    listed = JSON.parse(json)
  } catch (error) {
    throw new RaspiError('ansible', `ansible-inventory printed no JSON: ${messageOf(error)}`, {
      cause: error,
    })
  }
  const { _meta, ...groups } = listed
  const hosts = new Set<string>()
  const seen = new Set<string>()
  const visit = (name: string) => {
    if (seen.has(name)) return
    seen.add(name)
    for (const host of groups[name]?.hosts ?? []) hosts.add(host)
    for (const child of groups[name]?.children ?? []) visit(child)
  }
  visit('all')
  const vars = Object.fromEntries([...hosts].map((host) => [host, _meta?.hostvars?.[host] ?? {}]))
  const named = [...seen].filter((name) => name !== 'all' && name !== 'ungrouped')
  return {
    hosts: [...hosts],
    groups: Object.fromEntries(named.map((name) => [name, { hosts: [], children: [], ...groups[name] }])),
    vars,
  }
}

/** The groups of `inventory` that name `host` themselves. */
export function groupsOf({ groups }: UserInventory, host: string): string[] {
  return Object.keys(groups).filter((name) => groups[name]?.hosts.includes(host))
}

/**
 * The hosts of `inventory` that `limit` leaves, in Ansible's own understanding of patterns. Throws a `RaspiError` where a
 * part of it matches nothing.
 */
export async function limitedHosts(
  inventory: UserInventory,
  limit: string | readonly string[],
  context: InventoryContext,
): Promise<string[]> {
  const pattern = [limit].flat().join(',')
  // Not by ansible-inventory: that of ansible-core 2.14 knows no --limit.
  const { sources } = inventory
  const asked = [partsOf(limit).join(','), '--list-hosts']
  const { stdout, stderr } = await ask('ansible', sources, sources, asked, context)
  const { warnings } = parseWarnings(stderr)
  const unmatched = warnings.flatMap((text) => /host pattern, ignoring: (.+)/.exec(text)?.[1] ?? [])
  const hosts = stdout.split('\n').flatMap((line) => /^ {4,}(\S+)$/.exec(line)?.[1] ?? [])
  if (unmatched.length > 0 || hosts.length === 0) {
    const wrong = unmatched.length > 0 ? unmatched.join(', ') : pattern
    throw new RaspiError('options', `The limit "${wrong}" matches no host of ${shown(sources, context)}.`, {
      hint: known(inventory),
    })
  }
  return hosts
}

/** Whether a variable leads a host's tasks elsewhere than through ssh, and where: `local`, `docker`. */
export function otherConnection(vars: Record<string, unknown>): string | undefined {
  const connection = vars.ansible_connection
  // A template cannot be known beforehand; at the play's start such a host is tied to ssh.
  if (typeof connection !== 'string' || connection.includes('{{')) return
  const name = connection.replace(/^ansible\.(builtin|netcommon)\./, '')
  return ['', 'ssh', 'smart', 'paramiko', 'paramiko_ssh', 'libssh'].includes(name) ? undefined : name
}

/** Whether `host` of the user's inventory would work on this machine. */
export function isLocal(own: UserInventory | undefined, host: string): boolean {
  return otherConnection(own?.vars[host] ?? {}) === 'local'
}

/**
 * The hosts among `hosts` that get a Pi, and those whose tasks run on this machine because the user allows it. Throws a
 * `RaspiError` for a host that is reached in another way than by ssh, of which no Pi can stand in the place.
 */
export function hostsForPis(
  inventory: UserInventory,
  hosts: readonly string[],
  allowLocal: boolean,
): { pis: string[]; local: string[] } {
  const local: string[] = []
  const pis: string[] = []
  for (const host of hosts) {
    const connection = otherConnection(inventory.vars[host] ?? {})
    if (connection === undefined) pis.push(host)
    else if (connection === 'local' && allowLocal) local.push(host)
    else {
      const where = connection === 'local' ? ', so that its tasks would run on this machine' : ''
      throw new RaspiError(
        'options',
        `The inventory's host ${host} has ansible_connection=${connection}${where}: no Pi can take its place.`,
        {
          hint: [
            `Leave it out: raspiTest({ inventory, limit: 'all,!${host}' }).`,
            ...(connection === 'local'
              ? ['Or let it work here, without a Pi: raspiTest({ inventory, allowLocal: true }).']
              : []),
          ].join('\n'),
        },
      )
    }
  }
  if (pis.length === 0)
    throw new RaspiError('options', 'The inventory has no host that gets a Pi.', { hint: known(inventory) })
  return { pis, local }
}

async function ask(
  program: string,
  sources: readonly string[],
  given: readonly string[],
  args: readonly string[],
  { projectDir, args: more = [], env = process.env, timeoutMs = patienceMs, signal }: InventoryContext,
): Promise<{ stdout: string; stderr: string }> {
  // Supervised, because a script is Ansible's child and would outlive it.
  const result = await supervise(
    program,
    [...sources.map((source) => `--inventory=${source}`), ...more, ...args],
    {
      cwd: projectDir,
      env: {
        ...askingEnvironment(env),
        ...needing(env, { files: sources.filter((source) => isAbsolute(source)) }),
      },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      timeout: timeoutMs,
      ...(signal ? { cancelSignal: signal } : {}),
    },
  )
  signal?.throwIfAborted()
  if (result.timedOut) {
    throw new RaspiError(
      'ansible',
      `The inventory ${list(given)} did not answer within ${duration(timeoutMs)}.`,
      {
        hint: 'A script that waits for a network, or for an answer on its standard input, does so. Try `ansible-inventory --list` by hand.',
      },
    )
  }
  const stderr = String(result.stderr)
  const missing = result.exitCode === 127 && stderr.startsWith(`${program}: `)
  // Unsupervised, it is missing itself; else Python is, without which there is no Ansible either.
  if (missing || result.code === 'ENOENT') throw ansibleMissing(program)
  if (result.exitCode !== 0) throw unreadable(given, parseError(stderr)?.message ?? stderr.trim(), stderr)
  return { stdout: String(result.stdout), stderr }
}

function sourceOf(source: string, projectDir: string): string {
  if (source.includes(',')) return source
  const path = resolve(projectDir, source)
  if (existsSync(path)) return path
  throw new RaspiError('options', `The inventory ${source} does not exist: there is no ${path}.`, {
    hint: `Paths are relative to ${projectDir}. A list of hosts has a comma: \`web,\`.`,
  })
}

/** What Ansible says of each plugin that could not read a source. */
const attempt = /Failed to parse/

function unreadable(given: readonly string[], why: string, stderr: string): RaspiError {
  const vault = vaultProblem.test(why)
  const attempts = [
    ...parseWarnings(stderr).warnings.filter((text) => attempt.test(text)),
    ...detailsOfWarnings(stderr, attempt),
  ]
  return new RaspiError('ansible', `The inventory ${list(given)} cannot be read: ${why}`, {
    ...(vault ? { hint: vaultHint(why) } : {}),
    ...(attempts.length > 0
      ? { evidence: attempts.map((text) => text.replace(/^ *\* /, '  ')).join('\n') }
      : {}),
  })
}

function known({ hosts, groups }: UserInventory): string {
  const some = (names: readonly string[]) =>
    names.length === 0 ? 'none' : [...names.slice(0, 20), ...(names.length > 20 ? ['…'] : [])].join(', ')
  return `It has the hosts: ${some(hosts)}. Its groups: ${some(Object.keys(groups))}.`
}

const list = (given: readonly string[]) => given.join(', ')

function shown(sources: readonly string[], { projectDir }: InventoryContext): string {
  // A list of hosts is no path.
  return list(sources.map((source) => (isAbsolute(source) ? shownPath(source, projectDir) : source)))
}
