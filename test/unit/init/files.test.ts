import { existsSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { carryOut, planInit } from '../../../src/init/files.ts'
import type { Repository } from '../../../src/init/repository.ts'
import { repositoryOf } from './repositories.ts'

const versions = { vitest: '^5.0.0', 'vitest-raspi': '^0.1.0' }
const repository = (dir: string, given: Partial<Repository> = {}): Repository => ({
  ...{ dir, playbook: 'site.yml', hosts: [{ name: 'pi', groups: [] }], furtherHosts: 0, limited: false },
  ...given,
})

test('a bare repository gets all that a first test needs', () => {
  const dir = repositoryOf({ 'site.yml': '' })
  const plan = planInit(repository(dir), versions)
  expect(Object.keys(plan.create)).toEqual([
    'package.json',
    'vitest.config.ts',
    'test/site.test.ts',
    '.gitignore',
  ])
  expect(plan.keep).toEqual([])
  expect(plan.next).toEqual(['npm install', 'npx vitest-raspi doctor --fix', 'npx vitest run'])
  carryOut(plan, dir)
  expect(JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'))).toEqual({
    ...{ name: basename(dir).toLowerCase().replace('_', '-'), private: true, type: 'module' },
    ...{ scripts: { test: 'vitest run' }, devDependencies: versions },
  })
  expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe(
    'node_modules/\n.vitest/\n.vitest-reports/\n.vitest-attachments/\n',
  )
})

test('the first test has a Pi for each host, whatever they are called', () => {
  const hosts = [
    { name: 'boreas', groups: ['cold', 'winds'] },
    { name: "o'pi-1", groups: [] },
  ]
  const dir = repositoryOf({})
  const given = { hosts, playbook: 'playbooks/web.yaml' }
  const text = planInit(repository(dir, given), versions).create['test/web.test.ts'] ?? ''
  expect(() => stripTypeScriptTypes(text)).not.toThrow()
  expect(text).toMatchInlineSnapshot(`
    "import { expect, raspiTest } from 'vitest-raspi'

    // The hosts that the playbook names, each an emulated Pi that is fresh for every test.
    const test = raspiTest({
      hosts: {
        boreas: { groups: ['cold', 'winds'] },
        'o\\'pi-1': {},
      },
    })

    test('playbooks/web.yaml succeeds, and has nothing to do the second time', async ({ ansible }) => {
      expect(await ansible.playbook('playbooks/web.yaml')).toSucceed()
      expect(await ansible.playbook('playbooks/web.yaml')).toBeIdempotent()
    })
    "
  `)
})

test('the first test takes the hosts of an inventory from there, and no more of them than it has Pis for', () => {
  const hosts = [
    { name: 'boreas', groups: ['winds'] },
    { name: 'eurus', groups: ['winds'] },
  ]
  const textOf = (given: Partial<Repository>) =>
    planInit(repository(repositoryOf({}), { hosts, inventory: 'hosts.ini', ...given }), versions).create[
      'test/site.test.ts'
    ]
  expect(textOf({})).toContain(`
// The hosts of hosts.ini, each an emulated Pi that is fresh for every test.
const test = raspiTest({
  inventory: 'hosts.ini',
})
`)
  expect(textOf({ limited: true, furtherHosts: 3 })).toContain(`
// The hosts of hosts.ini (the first 2 of 5), each an emulated Pi that is fresh for every test.
const test = raspiTest({
  inventory: 'hosts.ini',
  limit: ['boreas', 'eurus'],
})
`)
})

test('the first test has the requirements installed that the repository has', () => {
  const textOf = (given: Partial<Repository>) =>
    planInit(repository(repositoryOf({}), given), versions).create['test/site.test.ts']
  expect(textOf({ requirements: ['roles/requirements.yml', 'collections/requirements.yml'] })).toContain(`
const test = raspiTest({
  hosts: {
    pi: {},
  },
  // What roles/requirements.yml and collections/requirements.yml names is installed for the time of a run.
  ansible: { requirements: true },
})
`)
  expect(textOf({})).not.toContain('requirements')
})

test('what is there is kept to the letter, and what it lacks is told', () => {
  const files = {
    'package.json': '{ "name": "mine", "devDependencies": { "vitest": "^4.1.0" } }',
    'vite.config.mts': 'export default {}',
    'tests/site.test.ts': '// mine',
    '.gitignore': '/node_modules\n',
  }
  const dir = repositoryOf(files)
  const plan = planInit(repository(dir), versions)
  expect(plan.create).toEqual({})
  expect(plan.keep).toEqual(['package.json', 'vite.config.mts', 'tests/site.test.ts', '.gitignore'])
  expect(plan.next).toEqual([
    'npm install --save-dev vitest vitest-raspi',
    'add raspi() of vitest-raspi/plugin to the plugins in vite.config.mts',
    'add .vitest/, .vitest-reports/, .vitest-attachments/ to .gitignore',
    'npx vitest-raspi doctor --fix',
    'npx vitest run',
  ])
  carryOut(plan, dir)
  for (const [path, text] of Object.entries(files)) expect(readFileSync(join(dir, path), 'utf8')).toBe(text)
})

test.for([
  ['{ "type": "module" }', 'vitest.config.ts'],
  // As `npm install` makes it.
  ['{ "devDependencies": { "vitest": "^5.0.0" } }', 'vitest.config.mts'],
  ['{ "type": "commonjs" }', 'vitest.config.mts'],
  ['no JSON', 'vitest.config.mts'],
] as const)('beside the package.json %s the configuration is %s', ([text, config]) => {
  const dir = repositoryOf({ 'package.json': text })
  expect(Object.keys(planInit(repository(dir), versions).create)[0]).toBe(config)
})

test('where something cannot be made, nothing is', () => {
  const dir = repositoryOf({ test: 'a script of mine' })
  expect(() => planInit(repository(dir), versions)).toThrow(
    'test/site.test.ts cannot be made: test is no directory.',
  )
})

test('a file that has come in the meantime is not overwritten', () => {
  const dir = repositoryOf({})
  const plan = planInit(repository(dir), versions)
  carryOut({ ...plan, create: { 'vitest.config.ts': 'mine' } }, dir)
  expect(() => carryOut({ ...plan, create: { 'vitest.config.ts': 'ours' } }, dir)).toThrow(/EEXIST/)
  expect(readFileSync(join(dir, 'vitest.config.ts'), 'utf8')).toBe('mine')
  expect(existsSync(join(dir, 'package.json'))).toBe(false)
})
