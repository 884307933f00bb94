import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hostsForPis, limitedHosts, readInventory } from '../../src/ansible/user-inventory.ts'
import { wantedPis } from '../../src/cli/up.ts'
import type { WantedStanding } from '../../src/standing/protocol.ts'
import { AnsibleProject, here, nowhere } from '../support/ansible-project.ts'
import { processesOf, survivors } from '../support/processes.ts'

// The real ansible-inventory and ansible-playbook, without a Pi. 192.0.2.0/24 is nobody's: RFC 5737.

const hosts = `bastion ansible_host=192.0.2.9
[web]
web[01:03] ansible_host=192.0.2.1 ansible_port=2200 ansible_user=admin
[db]
db ansible_ssh_host=192.0.2.2 ansible_ssh_user=root ansible_ssh_pass=geheim
[site:children]
web
db
[all:vars]
zone=attic
`
const files = {
  'inventory/hosts.ini': hosts,
  'inventory/group_vars/web.yml': 'part: web\n',
  'inventory/host_vars/web02.yml': 'part: second\n',
  'group_vars/db.yml': 'part: db\n',
}

test('an inventory of any kind is read with its groups, ranges and variables', {
  timeout: 240_000,
}, async () => {
  using project = new AnsibleProject({
    ...files,
    'more/10.yml': 'all: { children: { lamp: { hosts: { lamp1: { watt: 5 }, lamp2: { watt: 9 } } } } }\n',
    'more/20.sh':
      '#!/bin/sh\necho \'{"lamp": {"hosts": ["lamp3"]}, "_meta": {"hostvars": {"lamp3": {"watt": 9}}}}\'\n',
    'more/30.constructed.yml':
      'plugin: ansible.builtin.constructed\ngroups: { bright: watt > 6 }\nstrict: true\n',
  })
  const context = { projectDir: project.dir }
  const ini = await readInventory('inventory/hosts.ini', context)
  expect(ini).toMatchObject({
    sources: [join(project.dir, 'inventory/hosts.ini')],
    hosts: ['bastion', 'web01', 'web02', 'web03', 'db'],
    groups: {
      site: { hosts: [], children: ['web', 'db'] },
      web: { hosts: ['web01', 'web02', 'web03'], children: [] },
      db: { hosts: ['db'], children: [] },
    },
  })
  expect(Object.values(ini.vars).map(({ part, zone }) => [part, zone])).toEqual([
    [undefined, 'attic'],
    ['web', 'attic'],
    ['second', 'attic'],
    ['web', 'attic'],
    ['db', 'attic'],
  ])
  const directory = await readInventory(['more', 'extra,'], context)
  expect(directory.hosts.toSorted()).toEqual(['extra', 'lamp1', 'lamp2', 'lamp3'])
  expect(Object.keys(directory.groups)).toEqual(['lamp', 'bright'])

  expect(await limitedHosts(ini, ['web*', '!web02'], context)).toEqual(['web01', 'web03'])
  await expect(limitedHosts(ini, 'web01,attic', context)).rejects.toThrow(
    /^The limit "attic" matches no host of inventory\/hosts\.ini\.\n {2}It has the hosts: bastion, web01, .*Its groups: site, web, db\.$/,
  )
  await expect(limitedHosts(ini, 'web:&db', context)).rejects.toThrow('The limit "web:&db" matches no host')
})

test('settings that change what Ansible’s programs print change nothing of what is read', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject({
    ...files,
    'ansible.cfg': '[defaults]\nverbosity = 1\nforce_color = true\n[inventory]\nexport = true\n',
    'site.yml': '- hosts: all\n  gather_facts: false\n  tasks: [{ ansible.builtin.debug: { msg: done } }]\n',
  })
  const context = { projectDir: project.dir, env: { ...process.env, ANSIBLE_DEBUG: '1' } }
  const inventory = await readInventory('inventory/hosts.ini', context)
  expect(inventory.vars.web01).toMatchObject({ part: 'web', zone: 'attic' })
  expect(await limitedHosts(inventory, 'web01', context)).toEqual(['web01'])
  await expect(limitedHosts(inventory, 'attic', context)).rejects.toThrow('The limit "attic" matches no host')
  const run = await project.ansible(['pi'], { programEnv: context.env }).playbook('site.yml')
  expect(run.tasks).toMatchObject([{ result: { msg: 'done' } }])
})

test('no password is asked for; where a vault’s would be, the error says what to do', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject({
    ...files,
    'ansible.cfg':
      '[defaults]\nask_pass = true\nask_vault_pass = true\n[privilege_escalation]\nbecome_ask_pass = true\n',
    'site.yml': '- hosts: all\n  gather_facts: false\n  tasks: [{ ansible.builtin.debug: }]\n',
  })
  const context = { projectDir: project.dir }
  expect((await readInventory('inventory/hosts.ini', context)).hosts).toContain('bastion')
  expect(await project.ansible(['pi']).playbook('site.yml')).toMatchObject({ ok: true, stderr: '' })
  project.write({ 'ansible.cfg': '[defaults]\nvault_identity_list = dev@prompt\n' })
  const hint = '`label@path` in place of `label@prompt`'
  await expect(readInventory('inventory/hosts.ini', context)).rejects.toThrow(hint)
  await expect(project.ansible(['pi']).playbook('site.yml')).rejects.toThrow(hint)
})

test.for([
  ['nothing.ini', {}, /^The inventory nothing\.ini does not exist: there is no .*nothing\.ini\./],
  [
    'broken.yml',
    { 'broken.yml': 'all: [\n' },
    /^The inventory broken\.yml cannot be read: Unable to parse .*broken\.yml as an inventory source\n(.*\n)*.*Failed to parse/,
  ],
  [
    'fails.sh',
    { 'fails.sh': '#!/bin/sh\necho no cloud here >&2\nexit 3\n' },
    /fails\.sh cannot be read: (.*\n)*.*no cloud here/,
  ],
  [
    'sealed/hosts',
    {
      'sealed/hosts': 'web\n',
      'sealed/group_vars/all.yml': '$ANSIBLE_VAULT;1.1;AES256\n3361\n',
    },
    /^The inventory sealed\/hosts cannot be read: Attempting to decrypt but no vault secrets found\.?\n {2}Name the file with its password: `vaultPasswordFile` .* ANSIBLE_VAULT_PASSWORD_FILE, or vault_password_file in ansible\.cfg/,
  ],
] as const)('the inventory %s is refused, with why', { timeout: 60_000 }, async ([source, more, message]) => {
  using project = new AnsibleProject({ 'site.yml': '', ...more })
  await expect(readInventory(source, { projectDir: project.dir })).rejects.toThrow(message)
})

test('an inventory script that hangs is an error that says so, and is ended', {
  timeout: 60_000,
}, async () => {
  using project = new AnsibleProject({ 'cloud.sh': '#!/bin/sh\nexec sleep 300.25\n' })
  const env = { ...process.env, MARK: project.root }
  await expect(readInventory('cloud.sh', { projectDir: project.dir, env, timeoutMs: 6_000 })).rejects.toThrow(
    /^The inventory cloud\.sh did not answer within 6\.0 s\./,
  )
  expect(await survivors([], () => processesOf(project.root), 5_000)).toEqual([])
})

test('where the user’s configuration says where the playbooks are, the inventory has the plugins there', {
  timeout: 60_000,
}, async () => {
  using project = new AnsibleProject({
    'winds.yml': 'plugin: winds\n',
    'pb/inventory_plugins/winds.py': `from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = "name: winds\\nplugin_type: inventory\\nshort_description: winds\\noptions: {}"


class InventoryModule(BaseInventoryPlugin):
    NAME = "winds"

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        inventory.add_host("boreas")
`,
  })
  const env = { ...process.env, ANSIBLE_PLAYBOOK_DIR: 'pb' }
  const { pis } = await wantedPis([], { inventory: 'winds.yml' }, { env, cwd: project.dir })
  expect(pis).toMatchObject([{ name: 'boreas' }])
  writeFileSync(join(project.dir, 'ansible.cfg'), '[defaults]\nplaybook_dir = pb\n')
  expect(await readInventory('winds.yml', { projectDir: project.dir })).toMatchObject({ hosts: ['boreas'] })
})

test('Pis that stay up keep no variables that lie beside the playbooks only', {
  timeout: 60_000,
}, async () => {
  using project = new AnsibleProject({
    ...files,
    'site.yml': '- hosts: db\n',
    // Whoever decrypted it would fail: nobody has a password.
    'group_vars/web/vault.yml': '$ANSIBLE_VAULT;1.1;AES256\n3361\n',
  })
  const { pis } = await wantedPis(
    [],
    { inventory: 'inventory/hosts.ini' },
    { env: process.env, cwd: project.dir },
  )
  const found = pis as WantedStanding[]
  expect(found.map(({ name, vars }) => [name, vars.part])).toEqual([
    ...[
      ['bastion', undefined],
      ['web01', 'web'],
      ['web02', 'second'],
      ['web03', 'web'],
      ['db', undefined],
    ],
  ])
})

test('a host that is not reached by ssh is refused, but for this machine where that is allowed', () => {
  const inventory = {
    ...{ sources: [], groups: {}, hosts: ['web', 'here', 'box'] },
    vars: {
      web: { ansible_connection: 'ssh' },
      here: { ansible_connection: 'local' },
      box: { ansible_connection: 'docker' },
    },
  }
  expect(hostsForPis(inventory, ['web', 'here'], true)).toEqual({ pis: ['web'], local: ['here'] })
  expect(() => hostsForPis(inventory, ['web', 'here'], false)).toThrow(
    "The inventory's host here has ansible_connection=local, so that its tasks would run on this machine: no Pi can take its place.",
  )
  expect(() => hostsForPis(inventory, ['box'], true)).toThrow(
    /^The inventory's host box has ansible_connection=docker: .*\n.*'all,!box'/,
  )
  expect(() => hostsForPis(inventory, ['here'], true)).toThrow('The inventory has no host that gets a Pi.')
})

const tell = (hosts: string) => `- hosts: ${hosts}
  gather_facts: false
  tasks:
    - name: Tell
      ansible.builtin.debug:
        msg: "{{ ansible_user }}@{{ ansible_host }}:{{ ansible_port }} {{ part }} {{ group_names | join(',') }} of {{ groups.web | length }}"
`

test('groups and variables are the user’s, the way is the Pi’s, and hosts without a Pi are left alone', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject({
    ...files,
    'site.yml': `${tell('all')}
- hosts: localhost
  gather_facts: false
  tasks: [{ name: Here, ansible.builtin.debug: { msg: here } }]
`,
    // Variables of the repository rank above those of an inventory file.
    'host_vars/web01.yml': 'ansible_host: 192.0.2.3\nansible_ssh_host: 192.0.2.4\nansible_port: 22\n',
  })
  const inventory = await readInventory('inventory/hosts.ini', { projectDir: project.dir })
  const run = await project.ansible(['web01', 'web02'], { inventory }).playbook('site.yml')
  // Of a task on two hosts either may be done first.
  expect(run.tasks.map(({ host, result }) => [host, result.msg]).toSorted()).toEqual([
    ['localhost', 'here'],
    ['web01', 'pi@127.0.0.1:1 web site,web of 3'],
    ['web02', 'pi@127.0.0.1:1 second site,web of 3'],
  ])
  const limited = await project
    .ansible(['web01', 'web02'], { inventory })
    .playbook('site.yml', { limit: 'web02,web03' })
  expect(limited.tasks.map(({ host }) => host)).toEqual(['web02'])
  const excluding = await project
    .ansible(['web01', 'web02'], { inventory })
    .playbook('site.yml', { limit: 'web:!web01' })
  expect(excluding.tasks.map(({ host }) => host)).toEqual(['web02'])
  expect(existsSync(join(project.dir, 'site.retry'))).toBe(false)
})

test('a host of this machine works beside the Pis where that is allowed', { timeout: 120_000 }, async () => {
  using project = new AnsibleProject({
    'hosts.ini': 'web ansible_host=192.0.2.1\nfar ansible_host=192.0.2.2\nhere ansible_connection=local\n',
    'site.yml':
      '- hosts: all\n  gather_facts: false\n  tasks: [{ name: Work, ansible.builtin.command: echo done }]\n',
  })
  const inventory = await readInventory('hosts.ini', { projectDir: project.dir })
  const { pis, local } = hostsForPis(inventory, ['web', 'here'], true)
  const run = await project.ansible(pis, { inventory, localHosts: local }).playbook('site.yml')
  expect(run.tasks.map(({ host, result }) => [host, result.stdout]).toSorted()).toEqual([
    ['here', 'done'],
    ['web', 'done'],
  ])
  // Those of this package are about the Pis.
  const tasks = await project
    .ansible(pis, { inventory, localHosts: local })
    .tasks([{ 'ansible.builtin.debug': {} }])
  expect(tasks.tasks.map(({ host }) => host)).toEqual(['web'])
})

test('this machine is left alone where the limit leaves it out, but for what is delegated to it', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject({
    'hosts.ini': 'web\nlocalhost ansible_connection=local\nhere ansible_connection=local\n',
    'site.yml': `- hosts: all
  gather_facts: false
  tasks:
    - { name: Everywhere, ansible.builtin.debug: }
    - { name: From here, local_action: ansible.builtin.debug }
- name: Build
  hosts: localhost
  gather_facts: false
  tasks: [{ name: Here, ansible.builtin.debug: }]
`,
    'ask.yml':
      '- hosts: web\n  gather_facts: false\n  tasks:\n    - { name: Ask, ansible.builtin.ping: , delegate_to: here }\n',
  })
  const said: string[] = []
  const inventory = await readInventory('hosts.ini', { projectDir: project.dir })
  const ansible = project.ansible(['web'], { inventory, log: (line) => said.push(line) })
  const run = await ansible.playbook('site.yml')
  expect(run.tasks.map(({ host, name }) => [host, name])).toEqual([
    ['web', 'Everywhere'],
    ['web', 'From here'],
  ])
  expect(said.filter((line) => line.includes('skipped'))).toEqual([
    expect.stringMatching(/^site\.yml: the play "Build" is skipped: the inventory lists localhost, /),
  ])
  await expect(ansible.playbook('ask.yml')).rejects.toThrow(
    /^here, for web, could not be reached at TASK \[Ask\].*Take it into `limit` and say `allowLocal: true`/s,
  )
})

test('a left-out host of another kind than ssh is no hindrance', { timeout: 120_000 }, async () => {
  using project = new AnsibleProject({
    'hosts.ini': 'web\nbox ansible_connection=winrm\n',
    'site.yml': '- hosts: all\n  gather_facts: false\n  tasks: [{ ansible.builtin.debug: }]\n',
    'ask.yml':
      '- hosts: web\n  gather_facts: false\n  tasks:\n    - { name: Ask, ansible.builtin.ping: , delegate_to: box }\n',
  })
  const inventory = await readInventory('hosts.ini', { projectDir: project.dir })
  const ansible = project.ansible(['web'], { inventory })
  expect((await ansible.playbook('site.yml')).tasks.map(({ host }) => host)).toEqual(['web'])
  await expect(ansible.playbook('ask.yml')).rejects.toThrow(/^box, for web, could not be reached at TASK/)
})

test('hundreds of left-out hosts are borne', { timeout: 240_000 }, async () => {
  using project = new AnsibleProject({
    'hosts.ini': 'web\nfar[001:300]\n',
    'site.yml': '- hosts: all\n  gather_facts: false\n  tasks: [{ ansible.builtin.debug: }]\n',
  })
  const inventory = await readInventory('hosts.ini', { projectDir: project.dir })
  const run = await project.ansible(['web'], { inventory }).playbook('site.yml')
  expect(run.tasks.map(({ host }) => host)).toEqual(['web'])
})

test('no name for an address, no proxy and no variable of a task leads to a real machine', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject({
    // In the place of ssh: keeps what it was to do, and does not do it.
    'bin/ssh': '#!/bin/sh\nprintf "%s\\n" "$*" >> "$SSH_LOG"\nexit 255\n',
    'ansible.cfg':
      '[defaults]\ntransport = local\n[ssh_connection]\nssh_args = -o ProxyJump=192.0.2.10\nssh_extra_args = -o ProxyJump=192.0.2.11\n',
    'hosts.ini': `${hosts}\n[db:vars]\nansible_ssh_args=-o ProxyJump=192.0.2.12\nansible_ssh_common_args=-J192.0.2.13\nansible_ssh_extra_args=-J192.0.2.14\nansible_ssh_port=2200\nansible_ssh_executable=/bin/false\n`,
    'group_vars/db.yml': 'part: db\nansible_password: geheim\nansible_control_path: /192.0.2.15\n',
    'real.yml':
      'ansible_host: 192.0.2.16\nansible_ssh_host: 192.0.2.17\nansible_ssh_common_args: -J192.0.2.18\n',
    'site.yml': `- hosts: all
  gather_facts: false
  ignore_unreachable: true
  vars: { ansible_host: 192.0.2.19 }
  tasks:
    - name: Plainly
      ansible.builtin.ping:
    - name: Read where the real ones are
      ansible.builtin.include_vars: real.yml
    - name: After variables
      ansible.builtin.ping:
    - name: Set where the real one is
      ansible.builtin.set_fact: { ansible_host: 192.0.2.20, ansible_ssh_host: 192.0.2.21 }
    - name: After facts
      ansible.builtin.ping:
      vars: { ansible_host: 192.0.2.22, ansible_ssh_host: 192.0.2.23 }
    - name: On another machine
      ansible.builtin.ping:
      delegate_to: bastion
`,
  })
  const log = join(project.root, 'ssh.log')
  const inventory = await readInventory('hosts.ini', { projectDir: project.dir })
  const env = { PATH: `${join(project.dir, 'bin')}:${process.env.PATH}`, SSH_LOG: log }
  const run = await project.ansible([], { inventory, targets: [nowhere('db')] }).playbook('site.yml', { env })
  const pings = run.tasks.filter(({ action }) => action === 'ansible.builtin.ping')
  expect(pings.map(({ name, status }) => [name, status])).toEqual(
    ['Plainly', 'After variables', 'After facts', 'On another machine'].map((name) => [name, 'ignored']),
  )
  // Ansible asks ssh beforehand whether it knows this option.
  const calls = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .filter((call) => call !== '-o ControlPersist')
  expect(calls.length).toBeGreaterThanOrEqual(4)
  const toPi = calls.filter((call) => !call.includes('bastion'))
  expect(toPi.length).toBeGreaterThanOrEqual(3)
  for (const call of toPi) {
    expect(call).not.toMatch(/192\.0\.2|ProxyJump|-J/)
    expect(call).toContain(' 127.0.0.1 ')
    expect(call).toContain('-o ProxyCommand=none')
  }
  const away = calls.filter((call) => call.includes('bastion'))
  expect(away.length).toBeGreaterThan(0)
  // The first of its kind counts, and the command of a proxy is run in the place of a connection.
  for (const call of away) expect(call.slice(call.indexOf('Proxy'))).toMatch(/^ProxyCommand=sh -c /)
})

test('what is delegated to a host without a Pi fails at once, and says why', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject({
    'hosts.ini': hosts,
    'site.yml':
      '- hosts: web01\n  gather_facts: false\n  tasks:\n    - name: Ask\n      ansible.builtin.ping:\n      delegate_to: bastion\n',
  })
  const inventory = await readInventory('hosts.ini', { projectDir: project.dir })
  await expect(project.ansible(['web01'], { inventory }).playbook('site.yml')).rejects.toThrow(
    /^bastion, for web01, could not be reached at TASK \[Ask\] .*bastion has no emulated Pi in this test/s,
  )
})

test('a variables file that leads a Pi’s tasks to this machine is refused; a play that says so is not', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject({
    'hosts.ini': 'web ansible_host=192.0.2.1\n',
    'plays/site.yml': '- hosts: web\n  gather_facts: false\n  tasks: [{ ansible.builtin.ping: }]\n',
    'plays/host_vars/web.yml': 'ansible_connection: local\n',
    'here.yml':
      '- hosts: web\n  connection: local\n  gather_facts: false\n  tasks: [{ name: Here, ansible.builtin.command: echo here }]\n',
  })
  const inventory = await readInventory('hosts.ini', { projectDir: project.dir })
  const ansible = project.ansible([], { inventory, targets: [nowhere('web')] })
  await expect(ansible.playbook('plays/site.yml')).rejects.toThrow(
    /^plays\/site\.yml was not run: web has ansible_connection=local in a variables file, which leads away from its Pi\n.*`connection: local`/,
  )
  expect((await ansible.playbook('here.yml')).tasks).toMatchObject([
    { name: 'Here', result: { stdout: 'here' } },
  ])
})

test.for([
  [['-i', 'other.ini'], 'The argument -i cannot be given to ansible-playbook here: an inventory of its own'],
  [
    ['--limit=web'],
    'The argument --limit=web cannot be given to ansible-playbook here: the hosts are limited by the option `limit`',
  ],
  [['--ask-vault-pass'], 'a test has nobody to ask for a password'],
] as const)('ansible-playbook is not given %s', async ([args, message]) => {
  using project = new AnsibleProject({ 'site.yml': '- hosts: all\n' })
  await expect(project.ansible(['pi']).playbook('site.yml', { args })).rejects.toThrow(message)
})

test.for([
  ['list.txt', 'nothing\n', /^list\.txt cannot be run: .*A playbook must be a list of plays/],
  ['key.yml', 'hosts: all\n', /^key\.yml cannot be run: .*A playbook must be a list of plays/],
  ['open.yml', '- hosts: all\n  tasks: [\n', /^open\.yml cannot be run: open\.yml:\d+:\d+: /],
  [
    'vault.yml',
    '$ANSIBLE_VAULT;1.1;AES256\n3361\n',
    /^vault\.yml cannot be run: Attempting to decrypt but no vault secrets found\.?\n {2}Name the file/,
  ],
  [
    'sealed.yml',
    '- hosts: all\n  gather_facts: false\n  vars:\n    secret: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      3361\n  tasks:\n    - name: Use it\n      ansible.builtin.debug: { msg: "{{ secret }}" }\n',
    /^sealed\.yml cannot be run: .*no vault secrets found.*Use it.*\n {2}Name the file/s,
  ],
] as const)(
  '%s is no playbook that can be run, and the error says why',
  { timeout: 60_000 },
  async ([name, text, message]) => {
    using project = new AnsibleProject({ [name]: text })
    await expect(project.ansible(['pi']).playbook(name)).rejects.toThrow(message)
  },
)

test('an undefined variable and a wrong template fail their tasks, with Ansible’s words', {
  timeout: 60_000,
}, async () => {
  const task = (name: string, msg: string) =>
    `    - name: ${name}\n      ansible.builtin.debug: { msg: "${msg}" }\n      ignore_errors: true\n`
  using project = new AnsibleProject({
    'site.yml': `- hosts: all\n  gather_facts: false\n  tasks:\n${task('Undefined', '{{ nothing_of_the_kind }}')}${task('Wrong', '{{ 1 + }}')}`,
  })
  const { tasks } = await project.ansible([], { targets: [here('pi')] }).playbook('site.yml')
  expect(tasks).toMatchObject([
    {
      name: 'Undefined',
      status: 'ignored',
      result: { msg: expect.stringContaining("'nothing_of_the_kind' is undefined") },
    },
    {
      name: 'Wrong',
      status: 'ignored',
      result: {
        msg: expect.stringMatching(/template error while templating string|Syntax error in template/),
      },
    },
  ])
})
