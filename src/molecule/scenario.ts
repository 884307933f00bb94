import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { parse } from 'yaml'
import * as z from 'zod'
import { messageOf, RaspiError } from '../errors.ts'
import { interpolate } from './interpolate.ts'
import { connectionsOf } from './playbook-options.ts'
import { type MoleculeFile, moleculeSchema } from './schema.ts'

/** A step of a scenario that is run. */
export interface Step {
  /** What is done: Molecule's name for it. */
  action: 'prepare' | 'converge' | 'idempotence' | 'side_effect' | 'verify' | 'cleanup' | 'syntax' | 'check'
  /** As it stands in the sequence: `side_effect reboot.yml`. */
  title: string
  /** Absolute paths. */
  playbooks: string[]
}

/** A Molecule scenario, read. */
export interface Scenario {
  name: string
  /** The directory of its molecule.yml, in which Molecule starts Ansible. */
  dir: string
  /** The role's, the collection's or the repository's directory. */
  projectDir: string
  /** Everything molecule.yml says, with what it is based on. */
  config: MoleculeFile
  steps: Step[]
  /** What of it does not apply to emulated Pis, for people. */
  notApplied: string[]
}

/** Molecule's own sequence for `molecule test`. */
const testSequence =
  'dependency cleanup destroy syntax create prepare converge idempotence side_effect verify cleanup destroy'

/** Steps that the lab does in another way: Pis are made for the test and gone after it. */
const ofTheLab = new Set(['dependency', 'create', 'destroy', 'lint'])
const actions = new Set([
  'prepare',
  'converge',
  'idempotence',
  'side_effect',
  'verify',
  'cleanup',
  'syntax',
  'check',
])

/** Keys of a platform that are no matter of its driver. */
const platformKeys = new Set(['name', 'groups', 'children'])

/**
 * Reads the scenario in the directory `path`, relative to `root`. `variables` are put into molecule.yml besides those of
 * the environment `given`. Throws a `RaspiError` where it is no scenario, or one that cannot be run.
 */
export function readScenario(
  path: string,
  root: string,
  variables: Readonly<Record<string, string>> = {},
  given: NodeJS.ProcessEnv = process.env,
): Scenario {
  const dir = resolve(root, path)
  const file = join(dir, 'molecule.yml')
  if (!existsSync(file)) {
    throw new RaspiError('options', `There is no Molecule scenario ${path}: no ${file}.`, {
      hint: 'Give the directory of its molecule.yml, like molecule/default, relative to the Vitest project.',
    })
  }
  const projectDir = projectOf(dir)
  const env = {
    ...given,
    MOLECULE_PROJECT_DIRECTORY: projectDir,
    MOLECULE_SCENARIO_DIRECTORY: dir,
    ...variables,
  }
  const config = bases(projectDir)
    .concat(file)
    .map((each) => load(each, env, root))
    .reduce<Record<string, unknown>>((merged, each) => merge(merged, each), {})
  const result = moleculeSchema.safeParse(config)
  if (!result.success)
    throw new RaspiError('options', `${relative(root, file)} is wrong:\n${z.prettifyError(result.error)}`)
  const scenario = { name: result.data.scenario?.name ?? basename(dir), dir, projectDir, config: result.data }
  if (result.data.provisioner?.name !== undefined && result.data.provisioner.name !== 'ansible')
    throw new RaspiError(
      'options',
      `${relative(root, file)} asks for the provisioner ${result.data.provisioner.name}; there is only ansible.`,
    )
  const steps = stepsOf(scenario, relative(root, file))
  return { ...scenario, steps, notApplied: notApplied(scenario) }
}

// A role's scenario lies in ROLE/molecule/NAME, a collection's in COLLECTION/extensions/molecule/NAME.
function projectOf(dir: string): string {
  let top = dirname(dir)
  while (basename(top) !== 'molecule') {
    if (dirname(top) === top) return dirname(dirname(dir))
    top = dirname(top)
  }
  const parent = dirname(top)
  return basename(parent) === 'extensions' && existsSync(join(dirname(parent), 'galaxy.yml'))
    ? dirname(parent)
    : parent
}

// What all scenarios of a user and of a repository have in common.
function bases(projectDir: string): string[] {
  let top = projectDir
  while (!existsSync(join(top, '.git')) && dirname(top) !== top) top = dirname(top)
  const places = new Set(
    [homedir(), top, projectDir].map((place) => join(place, '.config/molecule/config.yml')),
  )
  return [...places].filter((place) => existsSync(place))
}

function load(file: string, env: Record<string, string | undefined>, root: string): Record<string, unknown> {
  try {
    const content: unknown = parse(interpolate(readFileSync(file, 'utf8'), env)) ?? {}
    if (typeof content !== 'object' || Array.isArray(content) || content === null)
      throw new TypeError('it is no mapping')
    return content as Record<string, unknown>
  } catch (error) {
    throw new RaspiError('options', `${relative(root, file)} cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Mappings are merged however deep, everything else of `over` replaces what was there. */
function merge(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key]
    merged[key] = isMapping(before) && isMapping(value) ? merge(before, value) : value
  }
  return merged
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function stepsOf({ config, dir }: Pick<Scenario, 'config' | 'dir'>, file: string): Step[] {
  const named = { ...config.provisioner?.playbooks, ...config.ansible?.playbooks }
  const find = (part: 'prepare' | 'converge' | 'side_effect' | 'verify' | 'cleanup') => {
    const path = resolve(dir, named[part] ?? `${part}.yml`)
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) return [path]
    // Before it was called converge.yml.
    const old = join(dirname(path), 'playbook.yml')
    return part === 'converge' && existsSync(old) ? [old] : []
  }
  const steps: Step[] = []
  let made = false
  for (const title of config.scenario?.test_sequence ?? testSequence.split(' ')) {
    const [action = '', ...given] = title.trim().split(/\s+/)
    if (action === 'create') made = true
    if (ofTheLab.has(action)) continue
    if (!actions.has(action))
      throw new RaspiError('options', `${file} has an unknown step in its test_sequence: ${title}.`)
    // On Pis that nothing has been done to yet there is nothing to clean up; Molecule does, where a run before has left something.
    if (action === 'cleanup' && !made && steps.length === 0) continue
    const step = action as Step['action']
    const of = step === 'idempotence' || step === 'syntax' || step === 'check' ? 'converge' : step
    const playbooks = given.length > 0 ? given.map((path) => resolve(dir, path)) : find(of)
    if (step === 'verify' && config.verifier?.enabled === false) continue
    if (playbooks.length > 0) steps.push({ action: step, title, playbooks })
    else if (of === 'converge')
      throw new RaspiError(
        'options',
        `${file} has no playbook to converge with: there is no ${join(dir, named.converge ?? 'converge.yml')}.`,
      )
  }
  return steps
}

function notApplied({ config, dir }: Pick<Scenario, 'config' | 'dir'>): string[] {
  const { driver, platforms, provisioner, verifier } = config
  const told: string[] = []
  if (driver?.name) told.push(`the driver ${driver.name}`)
  for (const { name, ...platform } of platforms ?? []) {
    const keys = Object.keys(platform).filter((key) => !platformKeys.has(key))
    if (keys.length > 0) told.push(`${keys.join(', ')} of the platform ${name}`)
  }
  const connection = Object.keys(provisioner?.connection_options ?? {}).filter(isConnectionVariable)
  if (connection.length > 0) told.push(`the connection options ${connection.join(', ')}`)
  const named = connectionsOf({ config })
  if (named.length > 0) told.push(`the connection ${named.join(', ')}`)
  if (verifier?.name !== undefined && verifier.name !== 'ansible') told.push(`the verifier ${verifier.name}`)
  const playbooks = ['create.yml', 'destroy.yml'].filter((name) => existsSync(join(dir, name)))
  if (playbooks.length > 0) told.push(playbooks.join(' and '))
  return told
}

/** Whether a variable says how to reach a machine. Those are the Pi's. */
export function isConnectionVariable(name: string): boolean {
  return /^ansible_(connection|host|port|user|password|private_key_file|ssh_.*|docker_.*|podman_.*)$/.test(
    name,
  )
}
