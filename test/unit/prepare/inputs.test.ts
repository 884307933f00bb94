import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { contentsOf, digest, inputsOf } from '../../../src/prepare/inputs.ts'
import { placesOf } from '../../../src/prepare/places.ts'
import { aConfig, type Repository, test } from './project.ts'

function inputs({ dir }: Repository, { playbook = 'prepare.yml', config = {} } = {}) {
  return inputsOf(placesOf(playbook, dir, aConfig(config)), dir)
}

/** Whether `change` makes another key. */
async function counts(repository: Repository, change: () => void, how = {}): Promise<boolean> {
  const before = await inputs(repository, how)
  change()
  return digest(await inputs(repository, how)) !== digest(before)
}

describe('what makes another layer', () => {
  test.for([
    'prepare.yml',
    'other.yaml',
    'motd.j2',
    'ansible.cfg',
    'hosts.ini',
    'roles/web/tasks/main.yml',
    'roles/web/files/deep/er/binary',
    'roles/web/files/dist/app.js',
    'roles/web/README.md',
    'group_vars/all.yml',
    'group_vars/all/vault',
    'host_vars/pi.yml',
    'vars/main.yml',
    'templates/motd.j2',
    'files/motd',
    'tasks/more.yml',
    'handlers/main.yml',
    'library/mine.py',
    'module_utils/mine.py',
    'filter_plugins/mine.py',
    'lookup_plugins/mine.py',
    'inventory/group_vars/all.yml',
    'inventories/prod/hosts',
    'collections/ansible_collections/a/b/roles/c/tasks/main.yml',
  ])('a new or changed %s', async (path, { repository }) => {
    rmSync(join(repository.dir, path), { force: true })
    expect(await counts(repository, () => repository.write({ [path]: '1' }))).toBe(true)
    expect(await counts(repository, () => repository.write({ [path]: '2' }))).toBe(true)
    expect(await counts(repository, () => repository.write({ [path]: '2' }))).toBe(false)
    expect(await counts(repository, () => rmSync(join(repository.dir, path)))).toBe(true)
  })

  test('what is beside a playbook in a directory of its own', async ({ repository }) => {
    repository.write({ 'playbooks/site.yml': '' })
    const how = { playbook: 'playbooks/site.yml' }
    for (const path of ['playbooks/site.yml', 'playbooks/roles/a/tasks/main.yml', 'playbooks/vars/a.yml'])
      expect(await counts(repository, () => repository.write({ [path]: 'changed' }), how)).toBe(true)
    expect(await counts(repository, () => repository.write({ 'roles/b/tasks/main.yml': '1' }), how)).toBe(
      true,
    )
  })

  test('a file that becomes executable', async ({ repository }) => {
    repository.write({ 'files/run': '' })
    expect(await counts(repository, () => chmodSync(join(repository.dir, 'files/run'), 0o755))).toBe(true)
  })

  test('what a link leads to', async ({ repository }) => {
    const elsewhere = join(repository.root, 'elsewhere')
    mkdirSync(join(elsewhere, 'tasks'), { recursive: true })
    mkdirSync(join(repository.dir, 'roles'))
    symlinkSync(elsewhere, join(repository.dir, 'roles/linked'))
    symlinkSync('.', join(repository.dir, 'roles/loop'))
    expect(await counts(repository, () => writeFileSync(join(elsewhere, 'tasks/main.yml'), ''))).toBe(true)
  })

  test("what ansible.cfg's paths lead to", async ({ repository }) => {
    const path = (name: string) => join(repository.root, name)
    const config = {
      DEFAULT_ROLES_PATH: [path('roles')],
      DEFAULT_FILTER_PLUGIN_PATH: [path('filters')],
      COLLECTIONS_PATHS: [path('collections')],
      CONFIG_FILE: path('ansible.cfg'),
    }
    for (const name of [
      'roles/web/tasks/main.yml',
      'filters/mine.py',
      'collections/ansible_collections/a/b/MANIFEST.json',
      'ansible.cfg',
    ]) {
      const change = () => repository.write({ [join('..', name)]: '' })
      expect([name, await counts(repository, change, { config })]).toEqual([name, true])
    }
  })
})

describe('what makes no other layer', () => {
  test.for([
    'README.md',
    'package.json',
    'test/site.test.ts',
    'vitest.config.ts',
    '.gitlab-ci.yml',
    '.vitest/raspi/run/console.log',
    'node_modules/some/tasks/main.yml',
    'roles/web/__pycache__/filter.cpython-311.pyc',
    'roles/web/tasks/.main.yml.swp',
    'roles/web/tasks/main.yml~',
    'docs/vars.yml',
  ])('%s', async (path, { repository }) => {
    repository.write({ 'roles/web/tasks/main.yml': '' })
    expect(await counts(repository, () => repository.write({ [path]: '1' }))).toBe(false)
  })

  test('another path of the repository, or files in another order', async ({ repository }) => {
    repository.write({ 'roles/b/tasks/main.yml': '1', 'roles/a/tasks/main.yml': '2' })
    const other = { ...repository, dir: join(repository.root, 'other') }
    mkdirSync(join(other.dir, 'roles/a/tasks'), { recursive: true })
    mkdirSync(join(other.dir, 'roles/b/tasks'), { recursive: true })
    writeFileSync(join(other.dir, 'roles/a/tasks/main.yml'), '2')
    writeFileSync(join(other.dir, 'roles/b/tasks/main.yml'), '1')
    writeFileSync(join(other.dir, 'prepare.yml'), '- hosts: all\n')
    expect(await inputs(repository)).toEqual(await inputs(other))
  })

  test('what is around the project where roles_path leads out of it', async ({ repository }) => {
    const config = { DEFAULT_ROLES_PATH: [repository.root, repository.dir] }
    repository.write({ 'tasks/main.yml': '', '../sibling/notes.txt': '', '../role/tasks/main.yml': '' })
    expect(await counts(repository, () => repository.write({ '../sibling/more.txt': '' }), { config })).toBe(
      false,
    )
    expect(
      await counts(repository, () => repository.write({ '../role/tasks/main.yml': '1' }), { config }),
    ).toBe(true)
  })
})

test('a listed directory counts by its names, a file that is gone by its absence', async ({ repository }) => {
  repository.write({ 'odd/a': '1' })
  const names = ['odd/', 'odd/a', 'none', 'none/']
  const before = await contentsOf(names, repository.dir)
  expect(before).toMatchObject({ none: 'missing', 'none/': 'missing' })
  repository.write({ 'odd/a': '2' })
  const changed = await contentsOf(names, repository.dir)
  expect(changed['odd/']).toBe(before['odd/'])
  expect(changed['odd/a']).not.toBe(before['odd/a'])
  repository.write({ 'odd/b': '' })
  expect((await contentsOf(names, repository.dir))['odd/']).not.toBe(before['odd/'])
})
