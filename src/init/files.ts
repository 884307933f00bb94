import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { hostnameOf } from '../standing/names.ts'
import { configFiles } from '../vitest/config-files.ts'
import type { FirstHost, Repository } from './repository.ts'

/** What the first test needs, and what is left to be done by hand. */
export interface InitPlan {
  /** The texts of the files to be made, by their paths. */
  create: Record<string, string>
  /** What is there already and stays as it is. */
  keep: string[]
  /** What the user has to do, in this order. */
  next: string[]
}

/** The versions that a new package.json asks for. */
export interface Versions {
  'vitest-raspi': string
  vitest: string
}

/** The last two are Vitest 4's. */
const ignored = ['node_modules/', '.vitest/', '.vitest-reports/', '.vitest-attachments/']

/**
 * Plans what a repository lacks for its first test. Nothing that is there is ever written to. Throws a `RaspiError` where
 * something of it cannot be made.
 */
export function planInit(repository: Repository, versions: Versions): InitPlan {
  const plan: InitPlan = { create: {}, keep: [], next: [] }
  const { dir } = repository
  const there = (...paths: string[]) => paths.find((path) => existsSync(join(dir, path)))
  const add = (path: string, text: string) => {
    if (there(path)) return plan.keep.push(path)
    assertRoom(dir, path)
    plan.create[path] = text
  }

  const packages = Object.keys(versions).join(' ')
  let isModule = true
  if (there('package.json')) {
    plan.keep.push('package.json')
    const content = readJson(join(dir, 'package.json'))
    isModule = content.type === 'module'
    const has = JSON.stringify(content)
    if (!/"vitest-raspi"/.test(has) || !/"vitest"/.test(has))
      plan.next.push(`npm install --save-dev ${packages}`)
    else plan.next.push('npm install')
  } else {
    add('package.json', packageJson(basename(dir), versions))
    plan.next.push('npm install')
  }

  const config = there(...configFiles)
  if (config) {
    plan.keep.push(config)
    if (!readFileSync(join(dir, config), 'utf8').includes('vitest-raspi'))
      plan.next.push(`add raspi() of vitest-raspi/plugin to the plugins in ${config}`)
  } else {
    // In a package that is not of modules Vite warns of a .ts at every run.
    add(isModule ? 'vitest.config.ts' : 'vitest.config.mts', configText)
  }

  const tests = there('tests') ? 'tests' : 'test'
  const test = `${tests}/${basename(repository.playbook).replace(/\.ya?ml$/, '')}.test.ts`
  add(test, firstTest(repository))

  if (there('.gitignore')) {
    plan.keep.push('.gitignore')
    const lines = readFileSync(join(dir, '.gitignore'), 'utf8').split('\n')
    const missing = ignored.filter(
      (path) => !lines.some((line) => line.trim().replace(/^\/|\/$/g, '') === path.slice(0, -1)),
    )
    if (missing.length > 0) plan.next.push(`add ${missing.join(', ')} to .gitignore`)
  } else add('.gitignore', `${ignored.join('\n')}\n`)

  plan.next.push('npx vitest-raspi doctor --fix')
  if (repository.unread && plan.create[test] !== undefined) {
    const { inventory = 'the inventory' } = repository.unread
    plan.next.push(`once Ansible can read ${inventory}: remove ${test}, and npx vitest-raspi init again`)
  }
  plan.next.push('npx vitest run')
  return plan
}

/** Makes the files of a plan below `dir`. A file that has come in the meantime is left alone: it throws then. */
export function carryOut({ create }: InitPlan, dir: string): void {
  for (const [path, text] of Object.entries(create)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text, { flag: 'wx' })
  }
}

/** Throws a `RaspiError` where the file `path` below `dir` cannot be made. */
function assertRoom(dir: string, path: string): void {
  let above = dirname(path)
  while (above !== '.' && !existsSync(join(dir, above))) above = dirname(above)
  if (!statSync(join(dir, above)).isDirectory())
    throw new RaspiError('options', `${path} cannot be made: ${above} is no directory.`)
  try {
    accessSync(join(dir, above), constants.W_OK)
  } catch (cause) {
    const where = above === '.' ? dir : above
    throw new RaspiError('options', `${path} cannot be made: you may not write to ${where}.`, { cause })
  }
}

const configText = `import { raspi } from 'vitest-raspi/plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({ plugins: [raspi()] })
`

function packageJson(name: string, versions: Versions): string {
  const content = {
    name: hostnameOf(name) || 'playbooks',
    private: true,
    type: 'module',
    scripts: { test: 'vitest run' },
    devDependencies: { vitest: versions.vitest, 'vitest-raspi': versions['vitest-raspi'] },
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

function firstTest(repository: Repository): string {
  const { playbook, inventory, hosts, furtherHosts } = repository
  const of = inventory ? `The hosts of ${inventory}` : 'The hosts that the playbook names'
  const more = furtherHosts > 0 ? ` (the first ${hosts.length} of ${hosts.length + furtherHosts})` : ''
  const [only] = hosts
  const comment =
    hosts.length === 1 && only
      ? `// Each test has a fresh Pi, which Ansible knows as ${only.name}.`
      : `// ${of}${more}, each an emulated Pi that is fresh for every test.`
  return `import { expect, raspiTest } from 'vitest-raspi'

${comment}
const test = raspiTest({
${[...hostLines(repository), ...requirementsLines(repository)].join('\n')}
})

test(${literal(`${playbook} succeeds, and has nothing to do the second time`)}, async ({ ansible }) => {
  expect(await ansible.playbook(${literal(playbook)})).toSucceed()
  expect(await ansible.playbook(${literal(playbook)})).toBeIdempotent()
})
`
}

/** The user's own inventory where there is one: its groups and variables are not to be written a second time. */
function hostLines({ inventory, hosts, limited }: Repository): string[] {
  if (inventory === undefined) return ['  hosts: {', ...hosts.map(hostLine), '  },']
  const limit = hosts.map(({ name }) => literal(name)).join(', ')
  return [`  inventory: ${literal(inventory)},`, ...(limited ? [`  limit: [${limit}],`] : [])]
}

function requirementsLines({ requirements }: Repository): string[] {
  if (requirements === undefined) return []
  return [
    `  // What ${requirements.join(' and ')} names is installed for the time of a run.`,
    '  ansible: { requirements: true },',
  ]
}

function hostLine({ name, groups }: FirstHost): string {
  const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name)
  const value = groups.length > 0 ? `{ groups: [${groups.map(literal).join(', ')}] }` : '{}'
  return `    ${key}: ${value},`
}

const literal = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`

function readJson(file: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // npm will say what is wrong with it.
    return {}
  }
}
