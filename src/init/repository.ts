import { existsSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { readConfig } from '../ansible/config.ts'
import { usualRequirements } from '../ansible/galaxy.ts'
import { findPlaybook, playbooksIn } from '../ansible/playbooks.ts'
import { groupsOf, otherConnection, readInventory, type UserInventory } from '../ansible/user-inventory.ts'
import { isRaspiError, RaspiError } from '../errors.ts'

/** A host that a first test is to have a Pi for. */
export interface FirstHost {
  name: string
  groups: string[]
}

/** What a repository of playbooks tells of itself. */
export interface Repository {
  dir: string
  /** The playbook for a first test, relative to `dir`. */
  playbook: string
  /** The inventory whose hosts they are, relative to `dir`. */
  inventory?: string
  hosts: FirstHost[]
  /** How many more hosts of the inventory the playbook is for. */
  furtherHosts: number
  /** Whether the inventory has other hosts than these. */
  limited: boolean
  /** The files with the roles and collections that it needs, relative to `dir`. @default none */
  requirements?: string[]
  /** Why the hosts are of no inventory, though one is there or ansible.cfg may name one. */
  unread?: UnreadInventory
}

/** An inventory that could not be read. */
export interface UnreadInventory {
  /** Relative to the repository. @default one that is not known, because Ansible's configuration could not be read */
  inventory?: string
  why: RaspiError
}

/** As many Pis as a small host bears. */
const mostHosts = 4

/** Where inventories usually lie: https://docs.ansible.com/ansible/latest/tips_tricks/sample_setup.html */
const usualInventories = [
  ...['inventory/hosts.ini', 'inventory/hosts.yml', 'inventory/hosts.yaml', 'inventory/hosts'],
  ...['inventory.ini', 'inventory.yml', 'inventory.yaml', 'hosts.ini', 'hosts.yml', 'hosts.yaml', 'hosts'],
  ...['inventory', 'production'],
]

/** Looks at the repository `dir` with `playbook`, or with the one that is most likely the main one. Throws a `RaspiError` without one. */
export async function lookAt(
  dir: string,
  playbook: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Repository> {
  const named = playbook ?? mainPlaybook(dir)
  findPlaybook(named, dir)
  const file = resolve(dir, named)
  // One of a collection is Ansible's to find: what it says of its hosts is not known.
  const here = existsSync(file)
  const main = here ? relative(dir, file) : named
  const requirements = usualRequirements(dir)
  const about = { dir, playbook: main, ...(requirements.length > 0 && { requirements }) }
  const { inventory, known, why } = await inventoryOf(dir, env)
  const patterns = here ? hostPatterns(readFileSync(file, 'utf8')) : []
  // A host that is not reached by ssh gets no Pi.
  const reached = known?.hosts.filter((name) => otherConnection(known.vars[name] ?? {}) === undefined) ?? []
  if (!known || !inventory || reached.length === 0) {
    return {
      ...{ ...about, hosts: [hostFor(patterns)], furtherHosts: 0, limited: false },
      ...(why && { unread: { ...(inventory && { inventory }), why } }),
    }
  }
  const all = reached.map((name) => ({ name, groups: allGroupsOf(known, name) }))
  const wanted = all.filter(({ name, groups }) =>
    patterns.some((pattern) => ['all', '*', name, ...groups].includes(pattern)),
  )
  const hosts = wanted.length > 0 ? wanted : all
  return {
    ...{ ...about, inventory },
    hosts: hosts.slice(0, mostHosts),
    furtherHosts: Math.max(0, hosts.length - mostHosts),
    limited: Math.min(hosts.length, mostHosts) < known.hosts.length,
  }
}

function mainPlaybook(dir: string): string {
  const found = [dir, join(dir, 'playbooks')].flatMap(playbooksIn).map((file) => relative(dir, file))
  const named = (name: string) => found.find((file) => basename(file).replace(/\.ya?ml$/, '') === name)
  const main = named('site') ?? named('main') ?? named('playbook') ?? found[0]
  if (main) return main
  throw new RaspiError('options', `There is no playbook in ${dir}, nor in its playbooks directory.`, {
    hint: 'Go to the repository of the playbooks, or name one: `vitest-raspi init path/to/site.yml`.',
  })
}

/** The inventory of the repository with what Ansible reads there, or why it cannot. */
async function inventoryOf(
  dir: string,
  env: NodeJS.ProcessEnv,
): Promise<{ inventory?: string; known?: UserInventory; why?: RaspiError }> {
  const config = await unlessUnread(readConfig('ansible-playbook', { cwd: dir, env }))
  const list =
    isRaspiError(config) || !config.isSet('DEFAULT_HOST_LIST') ? [] : config.value('DEFAULT_HOST_LIST')
  const set = [list].flat().filter((path) => typeof path === 'string')
  const inventory = [...set.map((path) => relative(dir, path)), ...usualInventories].find((path) =>
    existsSync(join(dir, path)),
  )
  if (isRaspiError(config)) {
    if (inventory) return { inventory, why: config }
    return existsSync(join(dir, 'ansible.cfg')) ? { why: config } : {}
  }
  if (!inventory) return {}
  const known = await unlessUnread(readInventory(inventory, { projectDir: dir, env }))
  return { inventory, ...(isRaspiError(known) ? { why: known } : { known }) }
}

/** What Ansible reads, or the error that tells why it cannot. */
const unlessUnread = <T>(reading: Promise<T>): Promise<T | RaspiError> =>
  reading.catch((error: unknown) => {
    if (isRaspiError(error)) return error
    throw error
  })

/** What the plays of a playbook say of their hosts. */
export function hostPatterns(playbook: string): string[] {
  const said = [...playbook.matchAll(/^(?:- +| +)"?hosts"?: *(.+?) *(?:#.*)?$/gm)].map(
    ([, hosts = '']) => hosts,
  )
  const words = said.flatMap((hosts) => hosts.replace(/^["'[]+|["'\]]+$/g, '').split(/[,:]\s*/))
  return [...new Set(words.filter((word) => /^[\w.*-]+$/.test(word) && word !== 'localhost'))]
}

/** Without an inventory: one Pi in all the groups that the playbook names. */
function hostFor(patterns: readonly string[]): FirstHost {
  return { name: 'pi', groups: patterns.filter((pattern) => /^\w+$/.test(pattern) && pattern !== 'all') }
}

/** The groups of a host with all that contain them: by these, too, a play may name it. */
function allGroupsOf(inventory: UserInventory, host: string): string[] {
  const withParents = (group: string): string[] => {
    const parents = Object.entries(inventory.groups).filter(([, { children }]) => children.includes(group))
    return [group, ...parents.flatMap(([parent]) => withParents(parent))]
  }
  return [...new Set(groupsOf(inventory, host).flatMap(withParents))]
}
