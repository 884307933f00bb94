import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test as base, expect } from 'vitest'
import { Ansible } from '../../src/ansible/ansible.ts'
import { readsOf } from '../../src/prepare/reads.ts'

// What the real ansible-playbook is seen to read, with this host in the place of a Pi.

const test = base.extend<{ root: string }>({
  root: async ({}, use) => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'raspi reads ')))
    await use(root)
    rmSync(root, { recursive: true })
  },
})

const files = {
  'site.yml': `
- ansible.builtin.import_playbook: elsewhere/base.yml
- hosts: all
  gather_facts: false
  vars_files: [odd/vars.yml]
  tasks:
    - ansible.builtin.import_tasks: odd/imported.yml
    - ansible.builtin.include_tasks: odd/included.yml
    - ansible.builtin.include_vars: { dir: odd/many }
    - ansible.builtin.debug: { msg: "{{ lookup('file', 'odd/looked-up') }}" }
    - ansible.builtin.debug: { msg: "{{ lookup('template', playbook_dir + '/odd/template') }}" }
    - ansible.builtin.copy: { src: "{{ playbook_dir }}/odd/copied", dest: "{{ target }}/copied" }
    - ansible.builtin.copy: { src: "{{ playbook_dir }}/odd/tree/", dest: "{{ target }}/tree/" }
    - ansible.builtin.script: odd/script.sh
    - ansible.builtin.debug: { msg: "{{ lookup('file', '../outside') }}" }
    - ansible.builtin.include_role: { name: "{{ playbook_dir }}/odd/role" }
    - ansible.builtin.debug: { msg: not this }
      tags: [never]
`,
  'elsewhere/base.yml': '- hosts: nobody\n  gather_facts: false\n  tasks: [{ import_tasks: never.yml }]\n',
  'elsewhere/never.yml': '[{ ansible.builtin.ping: {} }]\n',
  'odd/vars.yml': 'a: 1\n',
  'odd/imported.yml': '[{ ansible.builtin.ping: {} }]\n',
  'odd/included.yml': '[{ ansible.builtin.ping: {} }]\n',
  'odd/many/one.yml': 'b: 1\n',
  'odd/looked-up': '1\n',
  'odd/template': '{{ a }}\n',
  'odd/copied': '1\n',
  'odd/tree/leaf': '1\n',
  'odd/script.sh': '#!/bin/sh\ntrue\n',
  'odd/role/tasks/main.yml': '[{ ansible.builtin.ping: {} }]\n',
  'odd/unread': '1\n',
  '../outside': '1\n',
}

test('every file of the playbook is seen, and nothing of Ansible, Python or the system', {
  timeout: 120_000,
}, async ({ root }) => {
  const [projectDir, runDir, target] = ['my pis', 'run', 'target'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  for (const dir of [runDir, target]) mkdirSync(dir)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(projectDir, path)), { recursive: true })
    writeFileSync(join(projectDir, path), text)
  }
  const readsFile = join(runDir, 'reads')
  const nowhere = { host: '127.0.0.1', port: 1, privateKeyFile: '/dev/null', knownHostsFile: '/dev/null' }
  const ansible = new Ansible({
    ...{ projectDir, runDir, readsFile, timeoutMs: 110_000, log: () => {} },
    targets: [{ name: 'pi', user: 'pi', ...nowhere, vars: { ansible_connection: 'local' } }],
  })
  const run = await ansible.playbook('site.yml', { extraVars: { target } })
  expect(run.failed).toEqual([])
  const { names, unsure } = await readsOf(readsFile, {
    ...{ projectDir, places: { dirs: [], files: [] }, scratch: [runDir, target], since: Infinity },
  })
  expect(unsure).toEqual([])
  const filesRead = names.filter((name) => !name.endsWith('/'))
  expect(filesRead).toEqual(
    Object.keys(files)
      .filter((name) => name !== 'odd/unread')
      .map((name) => (name === '../outside' ? join(root, 'outside') : name))
      .sort(),
  )
  expect(names).toContain('odd/many/')
  expect(names).toContain('odd/tree/')
})

test('what the playbook makes elsewhere and reads again is left out, also where it replaces what was there', {
  timeout: 120_000,
}, async ({ root }) => {
  const [projectDir, runDir] = ['my pis', 'run'].map((name) => join(root, name)) as [string, string]
  for (const dir of [runDir, projectDir]) mkdirSync(dir)
  const made = ['new.crt', 'old.crt', 'new.txt', 'old.txt']
  for (const name of ['pi.crt', 'input', 'old.crt', 'old.txt']) writeFileSync(join(root, name), name)
  writeFileSync(
    join(projectDir, 'site.yml'),
    `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.fetch: { src: ../pi.crt, dest: "../{{ item }}.crt", flat: true }
      loop: [new, old]
    - ansible.builtin.copy: { content: made, dest: "{{ playbook_dir }}/../{{ item }}.txt" }
      loop: [new, old]
      delegate_to: localhost
    - ansible.builtin.debug: { msg: "{{ lookup('file', '../' + item) }}" }
      loop: [input, ${made.join(', ')}]
`,
  )
  // What was written in the same millisecond counts as written since.
  await delay(20)
  const since = Date.now()
  const readsFile = join(runDir, 'reads')
  const nowhere = { host: '127.0.0.1', port: 1, privateKeyFile: '/dev/null', knownHostsFile: '/dev/null' }
  const ansible = new Ansible({
    ...{ projectDir, runDir, readsFile, timeoutMs: 110_000, log: () => {} },
    targets: [{ name: 'pi', user: 'pi', ...nowhere, vars: { ansible_connection: 'local' } }],
  })
  const run = await ansible.playbook('site.yml')
  expect(run.failed).toEqual([])
  writeFileSync(join(root, 'input'), 'saved')
  const found = await readsOf(readsFile, {
    ...{ projectDir, places: { dirs: [], files: [join(projectDir, 'site.yml')] }, scratch: [runDir], since },
  })
  expect(found.unsure).toEqual([join(root, 'input')])
  for (const name of made) expect(found.names).not.toContain(join(root, name))
})
