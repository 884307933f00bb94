import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parse } from 'yaml'
import { messageOf, RaspiError } from '../errors.ts'
import { withoutRepository } from '../host/git.ts'
import { exclusively } from '../host/lock.ts'
import { privateDir } from '../host/paths.ts'
import { type Log, phase } from '../host/progress.ts'
import { scratchName } from '../host/scratch.ts'
import { supervise } from '../host/supervise.ts'
import { askingEnvironment } from './asking.ts'
import { needing } from './elsewhere.ts'

/** Directories in which Ansible looks first, before those of its configuration. */
export interface SearchPaths {
  roles: string[]
  collections: string[]
}

/** What installing requirements takes. */
export interface GalaxyContext {
  projectDir: string
  /** The run's directory, the same for all workers. */
  runDir: string
  env?: NodeJS.ProcessEnv
  log: Log
  signal?: AbortSignal | undefined
}

/** How long ansible-galaxy may take to install, in ms. */
const patienceMs = 600_000

/** Where a project's requirements are most often. https://docs.ansible.com/ansible/latest/galaxy/user_guide.html */
const usualFiles = [
  'requirements.yml',
  'requirements.yaml',
  'roles/requirements.yml',
  'collections/requirements.yml',
]

/**
 * Installs the roles and collections of a requirements file (or, with `true`, of all that lie where a project's usually do)
 * into the run's directory by ansible-galaxy, once for the whole run, and gives where they are. The user's own directories
 * of roles and collections are not touched. Throws a `RaspiError` where there is no file or one cannot be installed.
 */
export async function installRequirements(
  requirements: string | true,
  context: GalaxyContext,
): Promise<SearchPaths> {
  const paths: SearchPaths = { roles: [], collections: [] }
  for (const file of requirementsFiles(requirements, context.projectDir)) {
    const installed = await installFile(file, context)
    paths.roles.push(...installed.roles)
    paths.collections.push(...installed.collections)
  }
  return paths
}

async function installFile(file: string, context: GalaxyContext): Promise<SearchPaths> {
  const { projectDir, runDir, env = process.env } = context
  const content = readFileSync(file)
  const { roles, collections } = partsOf(content.toString(), relative(projectDir, file))
  // By its content, and by where its relative paths and its servers' names lead.
  const id = createHash('sha256')
    .update(`${projectDir}\0${file}\0`)
    .update(JSON.stringify(settingsFor(env, projectDir)))
    .update(content)
    .digest('hex')
    .slice(0, 16)
  const place = join(runDir, 'galaxy', id)
  const paths = {
    roles: roles ? [join(place, 'roles')] : [],
    collections: collections ? [join(place, 'collections')] : [],
  }
  if ((!roles && !collections) || existsSync(place)) return paths
  const lock = {
    log: context.log,
    waitingFor: `Requirements of ${relative(projectDir, file)}`,
    signal: context.signal,
  }
  await exclusively(privateDir(dirname(place)), lock, async () => {
    if (existsSync(place)) return
    const scratch = privateDir(runDir, scratchName('galaxy'))
    try {
      await phase(context.log, `Installing ${relative(projectDir, file)}`, async () => {
        if (roles) await galaxy('role', join(scratch, 'roles'), file, context)
        if (collections) await galaxy('collection', join(scratch, 'collections'), file, context)
      })
      renameSync(scratch, place)
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  })
  return paths
}

/** What in the environment `env` decides where ansible-galaxy has things from: of a configuration it is what it says. */
function settingsFor(
  env: NodeJS.ProcessEnv,
  projectDir: string,
): [name: string, value: string | undefined][] {
  return Object.entries(env)
    .filter(([name]) => /^(ANSIBLE|GALAXY)_/.test(name))
    .sort()
    .map(([name, value]) => [name, name === 'ANSIBLE_CONFIG' ? contentOf(value, projectDir) : value])
}

function contentOf(file = '', projectDir: string): string {
  try {
    return readFileSync(resolve(projectDir, file), 'utf8')
  } catch {
    return file
  }
}

/** The requirements files that `true` stands for in `projectDir`, relative to it. */
export function usualRequirements(projectDir: string): string[] {
  return existing(usualFiles, projectDir)
}

/** What to do where a role or a collection is missing, but for installing it by hand. */
export const requirementsHint =
  'Have it in requirements.yml, which `raspiTest({ ansible: { requirements: true } })` installs for the time of a run'

const existing = (names: readonly string[], projectDir: string) =>
  names.filter((name) => statSync(resolve(projectDir, name), { throwIfNoEntry: false })?.isFile())

function requirementsFiles(requirements: string | true, projectDir: string): string[] {
  const candidates = requirements === true ? usualFiles : [requirements]
  const files = existing(candidates, projectDir)
  if (files.length > 0) return files.map((file) => resolve(projectDir, file))
  throw new RaspiError(
    'options',
    `There are no requirements to install: no ${candidates.join(', ')} in ${projectDir}.`,
  )
}

function partsOf(text: string, file: string): { roles: boolean; collections: boolean } {
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    throw new RaspiError('options', `The requirements ${file} are no YAML: ${messageOf(error)}`, {
      cause: error,
    })
  }
  // As a project begins: comments only.
  if (content === null) return { roles: false, collections: false }
  // A list alone is the older form, of roles only.
  if (Array.isArray(content)) return { roles: content.length > 0, collections: false }
  if (typeof content !== 'object')
    throw new RaspiError('options', `The requirements ${file} name neither roles nor collections.`)
  const has = (part: string) => {
    const value = (content as Record<string, unknown>)[part]
    return Array.isArray(value) && value.length > 0
  }
  return { roles: has('roles'), collections: has('collections') }
}

async function galaxy(
  kind: 'role' | 'collection',
  dir: string,
  file: string,
  { projectDir, env: given = process.env, signal }: GalaxyContext,
) {
  const env = withoutRepository(given)
  const result = await supervise('ansible-galaxy', [kind, 'install', '-r', file, '-p', dir], {
    cwd: projectDir,
    env: {
      ...askingEnvironment(env),
      ...needing(env, { files: [file], results: [dir] }),
    },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    all: true,
    timeout: patienceMs,
    ...(signal ? { cancelSignal: signal } : {}),
  })
  signal?.throwIfAborted()
  // A role that could not be had is a warning to ansible-galaxy 2.14, and the others are installed: exit code 0 or 1.
  const failed = /^\[?(ERROR|WARNING)[^\n]*(was NOT installed|not found|failed)/im.test(result.all ?? '')
  if (result.exitCode === 0 && !failed) return
  const why = result.timedOut ? 'took longer than 10 minutes' : `ended with exit code ${result.exitCode}`
  throw new RaspiError(
    'ansible',
    `The requirements of ${relative(projectDir, file)} could not be installed: ansible-galaxy ${kind} ${why}`,
    {
      evidence: String(result.all ?? '')
        .trim()
        .split('\n')
        .slice(-10)
        .join('\n'),
    },
  )
}
