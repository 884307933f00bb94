import { expect, test } from 'vitest'
import { Ansible } from '../../../src/ansible/ansible.ts'

// Nothing is started: there is no such directory.
const ansible = new Ansible({
  projectDir: '/nowhere',
  runDir: '/nowhere',
  targets: [],
  timeoutMs: 1,
  log() {},
})

test.for<[unknown, string]>([
  [{ checkMode: true }, 'There is no checkMode: there are vaultPasswordFile, vaultIds, extraVars, tags, '],
  [{ extra_vars: {} }, 'There is no extra_vars: '],
  [{ tags: 5 }, 'expected a text, or a list of texts\n  → at tags'],
  [{ tags: ['web', 5] }, 'expected a text, or a list of texts\n  → at tags'],
  [{ check: 'yes' }, 'expected boolean, received string\n  → at check'],
  [{ extraVars: ['a=b'] }, 'expected object, received array\n  → at extraVars'],
  [{ onTask: { Install: 'cut' } }, 'expected a function\n  → at onTask.Install'],
  [{ args: '-vvv' }, 'expected array, received string\n  → at args'],
  [{ become: false }, 'There is no become: '],
  [null, 'expected object, received null'],
])('ansible.playbook() refuses %j before anything is started', async ([options, why]) => {
  const given = options as object
  await expect(ansible.playbook('site.yml', given)).rejects.toThrow(
    /^The options of ansible\.playbook\(\) are wrong:\n✖ /,
  )
  await expect(ansible.playbook('site.yml', given)).rejects.toThrow(why)
})

test('roles, tasks and modules have options of their own besides', async () => {
  const slip = { becom: true, tasksFrom: 'a' } as object
  const module = ansible.module('setup', {}, slip)
  await expect(module).rejects.toThrow(
    /of ansible\.module\(\).*\n✖ There is no becom, tasksFrom: .*become, gather/,
  )
  await expect(ansible.tasks([{}], slip)).rejects.toThrow(
    /of ansible\.tasks\(\).*\n✖ There is no becom, tasksFrom:/,
  )
  await expect(ansible.role('web', slip)).rejects.toThrow(
    /of ansible\.role\(\).*\n✖ There is no becom: .*tasksFrom/,
  )
  await expect(ansible.role('./web', { tasksFrom: 'a', vars: {} })).rejects.toThrow(
    'The role ./web does not exist',
  )
})

test('what is there is taken, the environment of this process too', async () => {
  const options = {
    ...{
      extraVars: { a: [1, { b: null }] },
      tags: ['a'],
      skipTags: 'b',
      limit: ['web'],
      check: true,
      diff: false,
    },
    ...{ env: process.env, onEvent() {}, onTask: { Install() {} }, args: ['-vvv'], vaultIds: 'dev@pass.txt' },
  }
  await expect(ansible.playbook('site.yml', options)).rejects.toThrow('The playbook site.yml does not exist')
})

test('an inventory is asked for in a format that there is', () => {
  expect(() => ansible.inventory('toml' as 'json')).toThrow(
    'There is no format "toml" of inventories.\n  Formats are: ini, yaml, json, bifrost.',
  )
})
