import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { test as base, expect } from 'vitest'
import { isSource, sourcesOf, sourcesOfInventory } from '../../../src/ansible/sources.ts'

const files = {
  'site.yml': '- hosts: all\n  vars_files: [secrets/app.yml, "{{ env }}.yml"]\n  roles: [web]\n',
  'secrets/app.yml': 'a: 1\n',
  'notes.md': 'Not named anywhere\n',
  'extra/more.json': '{}',
  'shared/motd.j2': 'Hello\n',
  'roles/web/tasks/main.yml': '- template:\n    src: ../../../shared/motd.j2\n    dest: /etc/hostname\n',
  'roles/web/templates/site.conf.j2': '',
  'roles/db/tasks/main.yml': '- ping:\n',
  'playbooks/other.yml': '- hosts: all\n  tasks: [ping:]\n',
  'playbooks/group_vars/all.yml': '',
}

const test = base.extend('repository', async ({}, { onCleanup }) => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  onCleanup(cleanup)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
})

/** Which of the repository's files, and of further ones, a run depends on. */
function used(
  repository: string,
  run: { playbook: string; places?: string[]; args?: string[] },
  ...more: string[]
) {
  const sources = sourcesOf({ places: [], projectDir: repository, ...run })
  return [...Object.keys(files), ...more].filter((name) => isSource(join(repository, name), sources))
}

test('a run depends on its playbook, on all of its roles, on what they name and what is beside them', ({
  repository,
}) => {
  const run = {
    playbook: 'site.yml',
    places: ['site.yml', 'roles/web/tasks/main.yml'],
    args: ['--extra-vars=@extra/more.json'],
  }
  expect(used(repository, run, 'ansible.cfg', 'group_vars/new.yml', 'inventory/hosts.ini', 'hosts')).toEqual([
    ...['site.yml', 'secrets/app.yml', 'extra/more.json', 'shared/motd.j2', 'roles/web/tasks/main.yml'],
    ...['roles/web/templates/site.conf.j2', 'ansible.cfg', 'group_vars/new.yml', 'inventory/hosts.ini'],
  ])
})

test('a playbook elsewhere has variables of its own, and no roles that it did not come to', ({
  repository,
}) => {
  const run = { playbook: 'playbooks/other.yml', places: ['playbooks/other.yml'] }
  expect(used(repository, run)).toEqual(['playbooks/other.yml', 'playbooks/group_vars/all.yml'])
})

test('a playbook that came to nothing may have failed by any role', ({ repository }) => {
  expect(used(repository, { playbook: 'site.yml' })).toEqual([
    ...['site.yml', 'secrets/app.yml', 'roles/web/tasks/main.yml', 'roles/web/templates/site.conf.j2'],
    'roles/db/tasks/main.yml',
  ])
})

test('a playbook that is not there any more can come back', ({ repository }) => {
  expect(used(repository, { playbook: 'gone.yml' }, 'gone.yml')).toContain('gone.yml')
})

test('an inventory, of one file or of many, has variables beside it', () => {
  const sources = sourcesOfInventory(['/r/hosts.ini', '/r/staging'])
  for (const path of ['/r/hosts.ini', '/r/staging/01.yml', '/r/group_vars/all.yml', '/r/host_vars/pi/a.yml'])
    expect(isSource(path, sources)).toBe(true)
  expect(isSource('/r/site.yml', sources)).toBe(false)
})
