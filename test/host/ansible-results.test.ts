import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import type { AnsibleEvent } from '../../src/ansible/events.ts'
import { AnsibleRun } from '../../src/ansible/run.ts'
import { readInventory } from '../../src/ansible/user-inventory.ts'
import { vaultArguments } from '../../src/ansible/vault.ts'
import { runMatchers } from '../../src/vitest/run-matchers.ts'
import { target, test } from '../support/local-ansible.ts'

// What ansible-playbook on this host tells of its tasks, beyond what ansible-callback.test.ts looks at.

expect.extend(runMatchers)

function write(dir: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return dir
}

const handlers = `- name: Handlers
  hosts: all
  gather_facts: false
  tasks:
    - name: Change
      ansible.builtin.command: "true"
      notify: [Restart, everything]
      when: not ansible_check_mode
    - name: Change what check mode sees
      ansible.builtin.copy:
        dest: "{{ dir }}/page"
        content: new
        mode: "0644"
    - name: Delegate
      ansible.builtin.debug:
        msg: delegated
      delegate_to: "{{ elsewhere }}"
      vars:
        elsewhere: two
    - name: Some items
      ansible.builtin.command: "{{ item }}"
      loop: ["true", "false"]
      ignore_errors: true
      changed_when: item == 'true'
      when: not ansible_check_mode
  handlers:
    - name: Restart
      ansible.builtin.debug:
    - name: Listen
      listen: everything
      ansible.builtin.debug:
    - name: Never
      ansible.builtin.debug:
`

test('handlers that are notified, hosts that are delegated to, items that fail, and what check mode does not see', async ({
  ansible,
  dir,
}) => {
  const project = ansible(write(join(dir, 'project'), { 'site.yml': handlers }), {
    targets: [target('one'), target('two')],
  })
  const options = { extraVars: { dir }, limit: 'one' }
  const check = await project.playbook('site.yml', { ...options, check: true })
  const run = await project.playbook('site.yml', options)
  expect(run.notified).toEqual([
    { name: 'Restart', path: 'site.yml', line: 27, host: 'one' },
    { name: 'Listen', path: 'site.yml', line: 29, host: 'one' },
  ])
  expect(run).toHaveNotifiedHandler('Restart', { host: 'one' })
  expect(run).not.toHaveNotifiedHandler('Never')
  expect(check).not.toHaveNotifiedHandler('Restart')
  const byName = Object.fromEntries(run.tasks.map((task) => [task.name, task]))
  expect(byName.Delegate?.delegatedTo).toBe('two')
  expect(byName['Some items']).toMatchObject({
    status: 'ignored',
    changed: true,
    items: [
      { label: 'true', status: 'changed' },
      { label: 'false', status: 'failed' },
    ],
  })
  expect(() => expect(check).toPredictItsChanges(run)).toThrow(
    `Changed, but not foretold:

  TASK [Change] (site.yml:5) on one: skipped in the check run
  TASK [Some items] (site.yml:20) on one: skipped in the check run`,
  )
  expect(check).toPredictItsChanges(run, { except: ['Change', 'Some items'] })
  expect(new AnsibleRun(JSON.parse(JSON.stringify(run)))).toEqual(run)
})

test('what warns is found, once, be it a task or Ansible itself', async ({ ansible, dir }) => {
  const project = write(join(dir, 'project'), {
    'library/nag.py': [
      'from ansible.module_utils.basic import AnsibleModule',
      'module = AnsibleModule({})',
      `module.warn('The paper of this printer, as of all others of its kind, is nearly used up: bring more of it')`,
      `module.deprecate('Ink is going away', version='99.0', collection_name='my.own')`,
      'module.exit_json(changed=False)\n',
    ].join('\n'),
    'site.yml': '- hosts: all\n  gather_facts: false\n  tasks:\n    - nag:\n- hosts: nobody\n',
  })
  const run = await ansible(project).playbook('site.yml')
  expect(() => expect(run).toHaveNoWarnings()).toThrow('Received: 3 warnings\n')
  expect(() => expect(run).toHaveNoWarnings({ deprecations: false })).toThrow('Received: 2 warnings\n')
  expect(run).toHaveNoWarnings({ except: [/bring\s+more/, 'host pattern', /^Ink is/] })
})

test('events are told while the playbook runs, and a listener that throws ends it', async ({
  ansible,
  dir,
}) => {
  const project = ansible(write(join(dir, 'project'), { 'site.yml': handlers }))
  const events: AnsibleEvent[] = []
  await project.playbook('site.yml', {
    extraVars: { dir },
    check: true,
    onEvent: (event) => events.push(event),
  })
  expect(events.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['start', 'play', 'task', 'result', 'stats']),
  )
  const enough = new Error('enough')
  const onEvent = ({ event }: AnsibleEvent) => {
    if (event === 'task') throw enough
  }
  await expect(project.playbook('site.yml', { extraVars: { dir }, onEvent })).rejects.toBe(enough)
})

test('what a vault holds is masked wherever a playbook shows it', async ({ ansible, dir }) => {
  const [inline, whole, file, password] = [
    'ferrous-otter',
    'plain-walrus "x"',
    'key line 4711',
    'open sesame',
  ]
  const passwordFile = join(dir, 'password')
  writeFileSync(passwordFile, password)
  const vault = (...args: string[]) =>
    execFileSync('ansible-vault', [...args, `--vault-password-file=${passwordFile}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const project = write(join(dir, 'project'), {
    'ansible.cfg': `[defaults]\nvault_password_file = ${passwordFile}\n`,
    'group_vars/all/plain.yml': `not_secret: tea\n${vault('encrypt_string', inline, '--name=inline')}`,
    'group_vars/all/vault.yml': `whole: '${whole}'\nnumber: 271828\n`,
    'files/key.pem': `begin\n${file}\n`,
    'vars/other.yml': `other: ${whole}\n`,
    'site.yml': `- hosts: all
  gather_facts: false
  tasks:
    - name: "Say {{ inline }}"
      ansible.builtin.command: echo {{ inline | quote }} {{ whole | quote }} {{ number }} {{ not_secret }}
      register: said
    - name: Loop
      ansible.builtin.debug:
        msg: "{{ [item, number] }}"
      loop: ["{{ inline }}", tea]
    - name: Key
      ansible.builtin.copy:
        src: key.pem
        dest: "{{ dir }}/key.pem"
        mode: "0600"
    - name: Show
      ansible.builtin.include_vars: other.yml
    - name: Fail
      ansible.builtin.fail:
        msg: "{{ said.stdout }}"
`,
  })
  for (const path of ['group_vars/all/vault.yml', 'files/key.pem', 'vars/other.yml'])
    vault('encrypt', join(project, path))
  const events: AnsibleEvent[] = []
  const secrets: string[] = []
  const run = await ansible(project, {
    onEvent: (event) => events.push(event),
    onSecrets: (values) => secrets.push(...values),
  }).playbook('site.yml', { extraVars: { dir }, diff: true })
  expect(run.tasks.map(({ name }) => name)).toEqual(['Say ***', 'Loop', 'Key', 'Show', 'Fail'])
  // From 2.22 on Ansible masks them itself.
  expect(run.failed[0]?.result.msg).toMatch(/^(\*{3} ){3}tea$|^(\$REDACTED\$ ){3}tea$/)
  const told = JSON.stringify([run, events])
  for (const secret of [inline, whole, JSON.stringify(whole).slice(1, -1), file, '271828', password])
    expect(told).not.toContain(secret)
  expect(secrets).toEqual(expect.arrayContaining([inline, whole, file, '271828']))
})

test('a vault is found in the whole repository and in what the run is given of others, not only beside the playbook', async ({
  ansible,
  dir,
}) => {
  const passwordFile = join(dir, 'password')
  writeFileSync(passwordFile, 'open sesame')
  const places = {
    inRepository: 'repo/vars/vault.yml',
    hidden: 'repo/.secrets/vault.yml',
    ofInventory: 'inventory/group_vars/all.yml',
    ofRole: 'shared/web/vars/main.yml',
    given: 'elsewhere/vault.yml',
    linked: 'behind/vault.yml',
  }
  const secretOf = (name: string) => `ferrous-${name}`
  write(dir, {
    ...Object.fromEntries(
      Object.entries(places).map(([name, path]) => [path, `${name}: ${secretOf(name)}\n`]),
    ),
    'inventory/hosts': 'pi ansible_connection=local\n',
    'repo/.git/HEAD': '',
    'repo/test/ansible.cfg': `[defaults]\nvault_password_file = ${passwordFile}\nroles_path = ../../closed:../../shared\n`,
    'repo/test/molecule/converge.yml': `- hosts: all
  gather_facts: false
  vars_files: [${Object.values(places).map((path) => JSON.stringify(join(dir, path)))}]
  tasks:
    - name: Say them
      ansible.builtin.debug:
        msg: "{{ [${Object.keys(places)}] }}"
`,
  })
  symlinkSync(join(dir, 'behind'), join(dir, 'repo/link'))
  symlinkSync(join(dir, 'repo'), join(dir, 'repo/vars/circle'))
  for (const path of Object.values(places))
    execFileSync('ansible-vault', ['encrypt', `--vault-password-file=${passwordFile}`, join(dir, path)], {
      stdio: 'ignore',
    })
  const inventory = await readInventory(join(dir, 'inventory/hosts'), {
    projectDir: join(dir, 'repo/test'),
    args: vaultArguments({ vaultPasswordFile: passwordFile }),
  })
  // Roles that may not be listed keep no others from being searched; root may not either, without these capabilities.
  mkdirSync(join(dir, 'closed'), { mode: 0o311 })
  const asUser = process.getuid?.() === 0 ? 'setpriv --bounding-set=-dac_override,-dac_read_search' : ''
  for (const program of ['ansible-playbook', 'ansible-config'])
    writeFileSync(join(dir, program), `#!/bin/sh\nexec ${asUser} ${program} "$@"\n`, { mode: 0o700 })
  const readsFile = join(dir, 'reads')
  const events: AnsibleEvent[] = []
  const run = await ansible(join(dir, 'repo/test'), {
    ...{
      ansiblePlaybook: join(dir, 'ansible-playbook'),
      inventory,
      readsFile,
      vaultDirs: [join(dir, 'elsewhere')],
    },
    onEvent: (event) => events.push(event),
  }).playbook('molecule/converge.yml')
  expect(run.tasks[0]?.result.msg).toEqual(Object.keys(places).map(() => '***'))
  for (const name of Object.keys(places)) expect(JSON.stringify([run, events])).not.toContain(secretOf(name))
  // What was searched was not read by the playbook.
  expect(readFileSync(readsFile, 'utf8')).not.toContain('HEAD')
  expect(readFileSync(readsFile, 'utf8')).not.toContain('repo/vars\n')
})
