import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import type { SearchPaths } from '../ansible/galaxy.ts'
import { RaspiError } from '../errors.ts'
import { isConnectionVariable, type Scenario } from './scenario.ts'

/** What Molecule surrounds a scenario's playbooks with. */
export interface Surroundings {
  /** The directory of its inventory. */
  inventory: string
  env: Record<string, string>
  paths: SearchPaths
}

/** The variables that Molecule gives to all hosts. */
const moleculeVars = {
  molecule_file: "{{ lookup('env', 'MOLECULE_FILE') }}",
  molecule_ephemeral_directory: "{{ lookup('env', 'MOLECULE_EPHEMERAL_DIRECTORY') }}",
  molecule_scenario_directory: "{{ lookup('env', 'MOLECULE_SCENARIO_DIRECTORY') }}",
  molecule_yml: "{{ lookup('file', molecule_file) | from_yaml }}",
  molecule_instance_config: "{{ lookup('env', 'MOLECULE_INSTANCE_CONFIG') }}",
  molecule_no_log:
    "{{ lookup('env', 'MOLECULE_NO_LOG') or not molecule_yml.provisioner.log|default(False) | bool }}",
}

/**
 * Writes into the empty directory `dir` what Molecule would write into its cache: inventory, ansible.cfg, the whole
 * molecule.yml, and links by which the scenario finds its own role or collection. Nothing is written into the project.
 */
export function surround(scenario: Scenario, dir: string): Surroundings {
  const { config, projectDir } = scenario
  const inventory = join(dir, 'inventory')
  writeInventory(scenario, inventory)
  const ansibleCfg = write(dir, 'ansible.cfg', configFile(scenario))
  const file = write(dir, 'molecule.yml', JSON.stringify(config))
  const instances = write(dir, 'instance_config.yml', '[]')
  return {
    inventory,
    env: {
      ...moleculeEnvironment(scenario, dir),
      MOLECULE_FILE: file,
      MOLECULE_INSTANCE_CONFIG: instances,
      MOLECULE_INVENTORY_FILE: join(inventory, 'ansible_inventory.yml'),
      // Of the user's own ansible.cfg Molecule makes no use either.
      ANSIBLE_CONFIG: ansibleCfg,
      ...config.provisioner?.env,
      ...config.ansible?.env,
    },
    paths: {
      roles: rolePaths(projectDir, join(dir, 'roles')),
      collections: collectionPaths(projectDir, join(dir, 'collections')),
    },
  }
}

/** The variables of the environment by which Molecule tells playbooks, and molecule.yml, where they are. */
export function moleculeEnvironment(
  scenario: Pick<Scenario, 'name' | 'dir' | 'projectDir'>,
  dir: string,
): Record<string, string> {
  return {
    MOLECULE_DEBUG: 'False',
    MOLECULE_EPHEMERAL_DIRECTORY: dir,
    MOLECULE_SCENARIO_DIRECTORY: scenario.dir,
    MOLECULE_PROJECT_DIRECTORY: scenario.projectDir,
    MOLECULE_SCENARIO_NAME: scenario.name,
    MOLECULE_DEPENDENCY_NAME: 'galaxy',
    MOLECULE_DRIVER_NAME: 'default',
    MOLECULE_PROVISIONER_NAME: 'ansible',
    MOLECULE_VERIFIER_NAME: 'ansible',
    MOLECULE_VERIFIER_TEST_DIRECTORY: join(scenario.dir, 'tests'),
    MOLECULE_STATE_FILE: join(dir, 'state.yml'),
  }
}

/** A platform without groups is in `ungrouped`; `children` are groups below each of its groups. */
export function inventoryGroups({ config }: Pick<Scenario, 'config'>): Record<string, object> {
  type Group = { hosts: Record<string, object>; vars?: object; children?: Record<string, Group> }
  const vars = withoutConnection(config.provisioner?.connection_options ?? {})
  const groups: Record<string, Group> = { all: { hosts: {}, vars: moleculeVars } }
  const group = (of: Record<string, Group>, name: string) => {
    of[name] ??= { hosts: {} }
    return of[name]
  }
  for (const { name, groups: names = ['ungrouped'], children = [] } of config.platforms ?? []) {
    group(groups, 'all').hosts[name] = vars
    for (const each of names) {
      const parent = group(groups, each)
      parent.hosts[name] = {}
      parent.children ??= {}
      for (const child of children) group(parent.children, child).hosts[name] = {}
    }
  }
  return groups
}

function writeInventory({ config, dir: scenarioDir }: Scenario, dir: string): void {
  mkdirSync(dir, { mode: 0o700 })
  write(dir, 'ansible_inventory.yml', JSON.stringify(inventoryGroups({ config })))
  const { hosts = {}, host_vars = {}, group_vars = {}, links = {} } = config.provisioner?.inventory ?? {}
  // Links stand in the place of what is written out, as in Molecule.
  if (Object.keys(links).length > 0) {
    for (const [name, target] of Object.entries(links)) link(resolve(scenarioDir, target), join(dir, name))
    return
  }
  const pis = new Set((config.platforms ?? []).map(({ name }) => name))
  // How the machine of another driver is reached is of no use to a Pi.
  const reachable = (name: string, vars: unknown) =>
    pis.has(name) && typeof vars === 'object' && vars !== null ? withoutConnection(vars) : vars
  if (Object.keys(hosts).length > 0) write(dir, 'hosts', JSON.stringify(hosts, reachable))
  for (const [part, all] of Object.entries({ host_vars, group_vars })) {
    if (Object.keys(all).length === 0) continue
    mkdirSync(join(dir, part), { mode: 0o700 })
    for (const [name, vars] of Object.entries(all)) {
      const kept = part === 'group_vars' ? withoutConnection(vars) : reachable(name, vars)
      write(join(dir, part), name, JSON.stringify(kept))
    }
  }
}

const withoutConnection = (vars: object) =>
  Object.fromEntries(Object.entries(vars).filter(([name]) => !isConnectionVariable(name)))

function link(target: string, path: string): void {
  if (!existsSync(target)) {
    throw new RaspiError(
      'options',
      `The scenario's inventory has a link ${basename(path)} to ${target}, which does not exist.`,
    )
  }
  symlinkSync(target, path)
}

// Molecule's own settings for connections are left out: they are the lab's.
function configFile({ config }: Scenario): string {
  const sections: Record<string, Record<string, unknown>> = { defaults: { nocows: 1, forks: 50 } }
  for (const options of [config.provisioner?.config_options, config.ansible?.cfg]) {
    for (const [name, settings] of Object.entries(options ?? {}))
      sections[name] = { ...sections[name], ...settings }
  }
  return Object.entries(sections)
    .map(
      ([name, settings]) =>
        `[${name}]\n${Object.entries(settings)
          .map(([key, value]) => `${key} = ${value}\n`)
          .join('')}`,
    )
    .join('\n')
}

/**
 * Where the scenario finds its own role: by the names under which Molecule links it (`namespace.role`, the role's name),
 * by its directory's, as older ones did, with the roles beside it; and the `roles` directory of a repository.
 * https://github.com/ansible/ansible-compat/blob/v25.1.1/src/ansible_compat/runtime.py (_install_galaxy_role)
 */
function rolePaths(projectDir: string, links: string): string[] {
  const inside = join(projectDir, 'roles')
  const beside = existsSync(inside) ? [inside] : []
  if (!existsSync(join(projectDir, 'tasks')) && !existsSync(join(projectDir, 'meta'))) return beside
  mkdirSync(links, { mode: 0o700 })
  for (const name of roleNames(projectDir)) symlinkSync(projectDir, join(links, name))
  return [links, ...beside, dirname(projectDir)]
}

function roleNames(projectDir: string): Set<string> {
  const directory = basename(projectDir)
  const plain = directory.replace(/^(ansible-role-|ansible-)/, '').replace(/^.*\./, '')
  const meta = ['main.yml', 'main.yaml']
    .map((name) => join(projectDir, 'meta', name))
    .find((file) => existsSync(file))
  const info = (meta && (parse(readFileSync(meta, 'utf8'))?.galaxy_info as Record<string, unknown>)) || {}
  const name = typeof info.role_name === 'string' && info.role_name ? info.role_name : plain
  const namespace = [info.namespace, info.author].find(
    (value) => typeof value === 'string' && /^\w+$/.test(value),
  )
  return new Set([directory, name, ...(namespace ? [`${namespace}.${name}`] : [])])
}

/** A collection is found by its name, wherever its repository lies. */
function collectionPaths(projectDir: string, dir: string): string[] {
  const file = join(projectDir, 'galaxy.yml')
  if (!existsSync(file)) return []
  const { namespace, name } = parse(readFileSync(file, 'utf8')) ?? {}
  if (typeof namespace !== 'string' || typeof name !== 'string') return []
  const place = join(dir, 'ansible_collections', namespace)
  mkdirSync(place, { recursive: true, mode: 0o700 })
  symlinkSync(projectDir, join(place, name))
  return [dir]
}

function write(dir: string, name: string, text: string): string {
  const file = join(dir, name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}
