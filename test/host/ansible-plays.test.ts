import { existsSync, globSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { installRequirements } from '../../src/ansible/galaxy.ts'
import { AnsibleProject } from '../support/ansible-project.ts'
import { processesOf, survivors } from '../support/processes.ts'

// The real ansible-playbook and ansible-galaxy, with this host in the place of a Pi.

const files = {
  'roles/web/tasks/main.yml': `- name: Write the page
  ansible.builtin.template:
    src: page.j2
    dest: "{{ out }}/page"
    mode: "0644"
  notify: Reload
`,
  'roles/web/tasks/other.yml': '- name: Other tasks\n  ansible.builtin.debug: { msg: "{{ web_title }}" }\n',
  'roles/web/handlers/main.yml': '- name: Reload\n  ansible.builtin.debug: { msg: reloaded }\n',
  'roles/web/defaults/main.yml': 'web_title: default\n',
  'roles/web/templates/page.j2': '{{ web_title }} for {{ site }}\n',
  'group_vars/all.yml': 'site: example\n',
  'templates/own.j2': 'own {{ site }}\n',
  'more.yml': '- name: Included\n  ansible.builtin.debug: { msg: "{{ playbook_only }}" }\n',
  'filter_plugins/twice.py':
    'class FilterModule:\n    def filters(self):\n        return {"twice": lambda text: text + text}\n',
}

test('a role runs with its templates, handlers and the project’s variables', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject(files)
  const before = globSync('**', { cwd: project.dir })
  const ansible = project.ansible(['pi'])
  const vars = { out: project.root, web_title: 'Mine' }
  const run = await ansible.role('web', { vars, become: false, gatherFacts: false })
  expect(run).toMatchObject({ ok: true, playbook: 'role web', warnings: [] })
  expect(
    run.tasks.map(({ name, role, path, line, status }) => [name, role, `${path}:${line}`, status]),
  ).toEqual([
    ['Write the page', 'web', 'roles/web/tasks/main.yml:1', 'changed'],
    ['Reload', 'web', 'roles/web/handlers/main.yml:1', 'ok'],
  ])
  expect(readFileSync(join(project.root, 'page'), 'utf8')).toBe('Mine for example\n')

  const other = await ansible.role('./roles/web', { tasksFrom: 'other', become: false, gatherFacts: false })
  expect(other.tasks.map(({ name, result }) => [name, result.msg])).toEqual([['Other tasks', 'default']])
  await expect(ansible.role('nope')).rejects.toThrow(
    /^The role "nope" was not found\n {2}Ansible searched for it in:\n {4}roles\n/,
  )
  expect(globSync('**', { cwd: project.dir })).toEqual(before)
  expect(readdirSync(project.runDir)).toEqual([])
})

test('tasks find what a playbook of the project would, and have no place of ours', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject(files)
  const dest = join(project.root, 'own')
  const run = await project.ansible(['pi']).tasks(
    [
      {
        name: 'Own',
        'ansible.builtin.template': { src: 'own.j2', dest, mode: '0600' },
        register: 'written',
      },
      { 'ansible.builtin.debug': { msg: "{{ 'ab' | twice }} {{ written.changed }}" } },
      { 'ansible.builtin.include_tasks': 'more.yml' },
    ],
    { become: false, vars: { playbook_only: 'yes' } },
  )
  expect(readFileSync(dest, 'utf8')).toBe('own example\n')
  expect(run.tasks.map(({ name, path, result }) => [name, path, result.msg])).toEqual([
    ['Own', undefined, undefined],
    ['ansible.builtin.debug', undefined, 'abab True'],
    ['ansible.builtin.include_tasks', undefined, undefined],
    ['Included', 'more.yml', 'yes'],
  ])
})

test('a module gives what it answered', { timeout: 120_000 }, async () => {
  using project = new AnsibleProject(files)
  const ansible = project.ansible(['one', 'two'])
  const facts = await ansible.module('setup', { gather_subset: '!all' }, { become: false })
  expect(facts.result.ansible_facts).toMatchObject({ ansible_system: 'Linux' })
  const { ok, result, results } = await ansible.module('command', 'echo hello', {
    become: false,
    hosts: 'two',
  })
  expect({ ok, stdout: result.stdout, hosts: Object.keys(results) }).toEqual({
    ok: true,
    stdout: 'hello',
    hosts: ['two'],
  })
  const failed = await ansible.module('ansible.builtin.fail', { msg: 'no' }, { become: false })
  expect(failed).toMatchObject({ ok: false, result: { msg: 'no' } })
  const tagged = { become: false, env: { ANSIBLE_RUN_TAGS: 'web' } }
  const ping = await ansible.module('ping', {}, tagged)
  expect(ping).toMatchObject({ ok: true, result: { ping: 'pong' } })
  expect(ping.noneChosen).toBeUndefined()
  await expect(ansible.module('no_such_module')).rejects.toThrow(
    "couldn't resolve module/action 'no_such_module'",
  )
})

test('a check of the syntax, which begins no task, misses none', { timeout: 120_000 }, async () => {
  using project = new AnsibleProject({
    'site.yml': '- hosts: all\n  gather_facts: false\n  tasks: [{ name: Tell, ansible.builtin.debug: }]\n',
  })
  const ansible = project.ansible(['pi'])
  const onTask = { 'Install nginx': () => {} }
  await ansible.playbook('site.yml', { onTask, args: ['--syntax-check'] })
  await expect(ansible.playbook('site.yml', { onTask })).rejects.toThrow(
    'onTask: no task called “Install nginx” began in this run.',
  )
})

test('what is no role, task or module is refused before anything starts', async () => {
  using project = new AnsibleProject(files)
  const ansible = project.ansible(['pi'])
  await expect(ansible.role('')).rejects.toThrow('an empty one was given')
  await expect(ansible.role('./more')).rejects.toThrow(
    /^The role \.\/more does not exist: .* has neither tasks/,
  )
  await expect(ansible.tasks([])).rejects.toThrow('at least one task')
  await expect(ansible.tasks(['ping' as never])).rejects.toThrow('Task 1 of ansible.tasks() is no object')
  await expect(ansible.module('ping: x')).rejects.toThrow('"ping: x" is no name of a module')
})

test('a deadline and an abort end a play of ours with all that it started', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject(files)
  const env = { MARK: project.root }
  const slow = [{ name: 'Sleep', 'ansible.builtin.command': 'sleep 300.5' }]
  const abort = new AbortController()
  const ansible = project.ansible(['pi'], {
    signal: abort.signal,
    onEvent: ({ event }) => event === 'task' && abort.abort(new Error('enough')),
  })
  await expect(ansible.tasks(slow, { become: false, env })).rejects.toMatchObject({
    kind: 'cancelled',
    message: 'tasks was stopped at TASK [Sleep]',
  })
  expect(await survivors([], () => processesOf(project.root), 5_000)).toEqual([])
  await expect(
    project.ansible(['pi'], { timeoutMs: 8_000 }).module('command', 'sleep 300.5', { become: false, env }),
  ).rejects.toThrow(/^module command was still at work after 8\.0 s/)
  expect(await survivors([], () => processesOf(project.root), 5_000)).toEqual([])
})

test('vaults are opened by a password file or by ids, for a call and for all', {
  timeout: 120_000,
}, async () => {
  using project = new AnsibleProject({ ...files, 'pass.txt': 'open sesame\n', 'dev.txt': 'devs\n' })
  const seal = async (args: string[], name: string, value: string) =>
    (await execa('ansible-vault', ['encrypt_string', ...args, '--name', name, value], { cwd: project.dir }))
      .stdout
  project.write({
    'host_vars/pi.yml': `${await seal(['--vault-password-file=pass.txt'], 'plain', 'one')}\n${await seal(['--vault-id=dev@dev.txt'], 'ofDev', 'two')}\n`,
    'site.yml':
      '- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Tell\n      ansible.builtin.debug: { msg: "{{ plain }} {{ ofDev }}" }\n',
  })
  const vault = { vaultPasswordFile: 'pass.txt', vaultIds: 'dev@dev.txt' }
  for (const run of [
    await project.ansible(['pi']).playbook('site.yml', vault),
    await project.ansible(['pi'], { defaults: vault }).playbook('site.yml'),
  ])
    expect(run.tasks.map(({ result }) => result.msg)).toEqual(['one two'])
  await expect(
    project.ansible(['pi']).playbook('site.yml', { vaultPasswordFile: 'dev.txt' }),
  ).rejects.toThrow(/vaultPasswordFile/)
})

test('requirements are installed once for a run, into its directory, and found', {
  timeout: 240_000,
}, async () => {
  using project = new AnsibleProject({
    'src/motd/meta/main.yml':
      'galaxy_info: { author: me, description: x, license: MIT, min_ansible_version: "2.14" }\n',
    'src/motd/tasks/main.yml': '- name: Of the role\n  ansible.builtin.debug: { msg: role }\n',
    'src/col/galaxy.yml': 'namespace: my\nname: col\nversion: 1.0.0\nreadme: README.md\nauthors: [me]\n',
    'src/col/README.md': '# mine\n',
    'src/col/roles/inner/tasks/main.yml':
      '- name: Of the collection\n  ansible.builtin.debug: { msg: collection }\n',
    'requirements.yml':
      'roles:\n  - name: motd\n    src: motd.tar.gz\ncollections:\n  - name: my-col-1.0.0.tar.gz\n    type: file\n',
  })
  const cwd = project.dir
  await execa('tar', ['czf', 'motd.tar.gz', '-C', 'src', 'motd'], { cwd })
  await execa('ansible-galaxy', ['collection', 'build', 'src/col'], { cwd })
  const before = globSync('**', { cwd })
  const lines: string[] = []
  const home = join(project.root, 'home')
  mkdirSync(home)
  const context = {
    projectDir: cwd,
    runDir: project.runDir,
    log: (line: string) => lines.push(line),
    env: { ...process.env, HOME: home },
  }
  const [paths, again] = await Promise.all([
    installRequirements(true, context),
    installRequirements('requirements.yml', context),
  ])
  expect(again).toEqual(paths)
  expect(lines.filter((line) => line === 'Installing requirements.yml …')).toHaveLength(1)
  expect(
    [...paths.roles, ...paths.collections].every(
      (path) => path.startsWith(project.runDir) && existsSync(path),
    ),
  ).toBe(true)
  const ansible = project.ansible(['pi'], { paths })
  const quick = { become: false, gatherFacts: false }
  const roles = [await ansible.role('motd', quick), await ansible.role('my.col.inner', quick)]
  expect(roles.map(({ tasks }) => tasks[0]?.result.msg)).toEqual(['role', 'collection'])
  expect(globSync('**', { cwd })).toEqual(before)

  project.write({ 'wrong.yml': 'roles:\n  - name: gone\n    src: gone.tar.gz\n' })
  await expect(installRequirements('wrong.yml', context)).rejects.toThrow(
    /^The requirements of wrong\.yml could not be installed: ansible-galaxy role /,
  )
  await expect(installRequirements('none.yml', context)).rejects.toThrow(
    'There are no requirements to install: no none.yml in',
  )
})
