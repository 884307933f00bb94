import { cpSync, existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import type { PlaybookOptions } from '../../src/ansible/arguments.ts'
import type { AnsibleEvent } from '../../src/ansible/events.ts'
import { fixtures, target, test } from '../support/local-ansible.ts'
import { processesOf } from '../support/processes.ts'

// The real ansible-playbook with this host in the place of a Pi.

test('a playbook becomes plays, tasks, items and stats, and a secret gets into none of them', async ({
  ansible,
  dir,
}) => {
  const events: AnsibleEvent[] = []
  const project = ansible('everything', { onEvent: (event) => events.push(event) })
  const run = await project.playbook('site.yml', { extraVars: { dir }, diff: true })
  expect(run).toMatchObject({ ok: true, exitCode: 0, playbook: 'site.yml', warnings: [] })
  expect(
    run.tasks.map(({ name, role, path, line, status }) => [name, role, `${path}:${line}`, status]),
  ).toEqual([
    ['Write the page', 'web', 'roles/web/tasks/main.yml:1', 'changed'],
    ['Ignore a failure', undefined, 'site.yml:10', 'ignored'],
    ['Fail in a block', undefined, 'site.yml:16', 'rescued'],
    ['Come to the rescue', undefined, 'site.yml:22', 'ok'],
    ['Always', undefined, 'site.yml:26', 'ok'],
    ['Skip this', undefined, 'site.yml:30', 'skipped'],
    ['Loop', undefined, 'site.yml:34', 'ok'],
    ['Say a secret', undefined, 'site.yml:39', 'ok'],
    ['Loop over secrets', undefined, 'site.yml:44', 'ok'],
    ['Try again', undefined, 'site.yml:50', 'ok'],
    ['Once, elsewhere', undefined, 'site.yml:58', 'ok'],
    ['Include more', undefined, 'site.yml:64', 'ok'],
    ['Included', undefined, 'more.yml:1', 'ok'],
    ['Reload', 'web', 'roles/web/handlers/main.yml:1', 'ok'],
  ])
  const byName = Object.fromEntries(run.tasks.map((task) => [task.name, task]))
  expect(byName['Write the page']?.diff).toMatchObject([{ before: '', after: 'new\n' }])
  expect(byName['Try again']?.attempts).toBe(2)
  expect(byName['Once, elsewhere']).toMatchObject({ delegatedTo: 'localhost', runOnce: true })
  expect(byName.Reload?.handler).toBe(true)
  expect(byName.Loop?.items).toMatchObject([
    { label: 'one', status: 'ok', result: { msg: 'one' } },
    { label: 'two', status: 'ok', result: { msg: 'two' } },
  ])
  expect(byName['Loop over secrets']?.items.map(({ label }) => label)).toEqual(
    Array(2).fill('(censored due to no_log)'),
  )
  expect(run.changed.map(({ name }) => name)).toEqual(['Write the page', 'Ignore a failure'])
  expect(run.stats.pi).toMatchObject({ ok: 12, changed: 2, skipped: 1, rescued: 1, ignored: 1, failures: 0 })
  expect(run).toMatchObject({ pis: { pi: [] }, plays: [{ pis: ['pi'] }], hadPi: true })
  expect(JSON.stringify([run, events])).not.toContain('hunter2')
})

test('a second run on the same machine changes nothing but what always changes', async ({ ansible, dir }) => {
  const project = ansible('everything')
  await project.playbook('site.yml', { extraVars: { dir } })
  const again = await project.playbook('site.yml', { extraVars: { dir } })
  expect(again.changed.map(({ name }) => name)).toEqual(['Ignore a failure'])
})

test('a failing task is a result', async ({ ansible }) => {
  const run = await ansible('everything').playbook('fails.yml')
  expect(run).toMatchObject({ ok: false, exitCode: 2 })
  expect(run.failed).toMatchObject([
    {
      name: 'Break',
      path: 'fails.yml',
      line: 9,
      result: { rc: 3, stdout: 'to stdout', stderr: 'to stderr' },
    },
  ])
})

test('tags, extra variables and the environment reach the playbook, with their types', async ({
  ansible,
}) => {
  const run = await ansible('everything').playbook('vars.yml', {
    extraVars: { answer: 42, flag: true, names: ['a', "b's"] },
    skipTags: 'file',
    env: { FROM_TEST: 'hello' },
  })
  expect(run.ok).toBe(true)
  expect(run.tasks.map(({ name }) => name)).toEqual(['Typed variables', 'The environment'])
  expect(run.tasks[1]?.result.msg).toBe('hello')
  expect(run.command).not.toContain('42')
})

test('a run that its tags left without a task tells so, and which tags there are', async ({ ansible }) => {
  const project = ansible('everything')
  const none = { tags: [] as string[], skipTags: [] as string[], known: ['env', 'file', 'typed'] }
  const noneChosen = async (options: PlaybookOptions) => {
    const run = await project.playbook('vars.yml', options)
    expect(run).toMatchObject({ ok: true, hadPi: true, tasks: [] })
    return run.noneChosen
  }
  expect(await noneChosen({ tags: 'evn' })).toEqual({ ...none, tags: ['evn'] })
  expect(await noneChosen({ args: ['-t', 'a,b'] })).toEqual({ ...none, tags: ['a', 'b'] })
  expect(await noneChosen({ env: { ANSIBLE_RUN_TAGS: 'evn' } })).toEqual({ ...none, tags: ['evn'] })
  expect(await noneChosen({ tags: 'env', skipTags: ['env'] })).toEqual({
    ...none,
    ...{ tags: ['env'], skipTags: ['env'] },
  })
  expect(await noneChosen({ args: ['--start-at-task', 'Nothing'] })).toEqual({ ...none, startAt: 'Nothing' })
  expect(await noneChosen({ args: ['--syntax-check'], tags: 'evn' })).toBeUndefined()
})

test('facts that Ansible gathers by itself are no task that tags have chosen', async ({ ansible }) => {
  const task = { name: 'Pong', 'ansible.builtin.ping': {}, tags: ['pong'] }
  const facts = { become: false, gatherFacts: true }
  const project = ansible('everything')
  const missed = await project.tasks([task], { ...facts, tags: 'pnog' })
  expect(missed.tasks.map(({ name }) => name)).toEqual(['Gathering Facts'])
  expect(missed.noneChosen).toEqual({ tags: ['pnog'], skipTags: [], known: ['pong'] })
  const include = await project.tasks([{ include_tasks: 'install.yml' }], { ...facts, tags: 'install' })
  expect(include.noneChosen).toEqual({ tags: ['install'], skipTags: [], known: [], includes: true })
  const gather = { name: 'Look', 'ansible.builtin.gather_facts': {}, tags: ['look'] }
  const wanted = await project.tasks([gather], { become: false, tags: 'look' })
  expect(wanted.noneChosen).toBeUndefined()
})

test('the check of a role’s arguments is no task that tags have chosen', async ({ ansible, dir }) => {
  const repo = join(dir, 'repo')
  const write = (file: string, content: unknown) => {
    mkdirSync(dirname(join(repo, file)), { recursive: true })
    writeFileSync(join(repo, file), JSON.stringify(content))
  }
  write('roles/web/meta/argument_specs.yml', { argument_specs: { main: { options: {} } } })
  write('roles/web/tasks/main.yml', [{ 'ansible.builtin.ping': {}, tags: ['install'] }])
  const play = { hosts: 'all', gather_facts: false, roles: [{ role: 'web', tags: ['web'] }] }
  write('site.yml', [play])
  const project = ansible(repo)
  const missed = await project.playbook('site.yml', { tags: 'isntall' })
  expect(missed.tasks.map(({ name }) => name)).toEqual([expect.stringMatching(/^Validating arguments/)])
  expect(missed.noneChosen).toEqual({ tags: ['isntall'], skipTags: [], known: ['install', 'web'] })
  expect((await project.playbook('site.yml', { tags: 'install' })).noneChosen).toBeUndefined()
  write('site.yml', [{ ...play, roles: [], tasks: [{ validate_argument_spec: { argument_spec: {} } }] }])
  expect((await project.playbook('site.yml', { skipTags: 'web' })).noneChosen).toBeUndefined()
})

test('tags are no reason where they chose something, or where there is nothing to choose', async ({
  ansible,
  dir,
}) => {
  cpSync(join(fixtures, 'everything'), join(dir, 'repo'), { recursive: true })
  writeFileSync(join(dir, 'repo/empty.yml'), '- hosts: all\n  gather_facts: false\n  roles: []\n')
  const project = ansible(join(dir, 'repo'))
  const tagged = (tag: string, more = {}) => [{ 'ansible.builtin.ping': {}, tags: [tag], ...more }]
  const runs = [
    await project.playbook('empty.yml'),
    await project.playbook('empty.yml', { tags: 'web' }),
    await project.playbook('vars.yml', { tags: 'env', env: { FROM_TEST: 'hello' } }),
    await project.tasks(tagged('always'), { become: false, tags: 'web' }),
    await project.tasks(tagged('never'), { become: false, tags: 'never' }),
    await project.tasks(tagged('web', { when: false }), { become: false, tags: 'web' }),
    // As Molecule does in each run.
    await project.tasks(tagged('notest'), { become: false, skipTags: ['molecule-notest', 'notest'] }),
  ]
  expect(runs.map(({ ok, noneChosen }) => [ok, noneChosen])).toEqual(runs.map(() => [true, undefined]))
})

test('check mode tells what would change and changes nothing', async ({ ansible, dir }) => {
  const run = await ansible('everything').playbook('vars.yml', {
    extraVars: { dir },
    tags: 'file',
    check: true,
    diff: true,
  })
  expect(run).toMatchObject({ check: true, ok: true })
  expect(run.changed).toMatchObject([{ name: 'A file', diff: [{ before: '', after: 'one\n' }] }])
  expect(existsSync(join(dir, 'checked'))).toBe(false)
})

test('a play for nobody is known to have matched no host', async ({ ansible }) => {
  const run = await ansible('everything').playbook('nobody.yml')
  expect(run.plays).toMatchObject([{ name: 'For nobody', hosts: 'webservers', matched: false, pis: [] }])
  expect(run.warnings).toEqual(['Could not match supplied host pattern, ignoring: webservers'])
})

test.for([
  [
    'syntax.yml',
    // The words in the middle since ansible-core 2.19.
    /^syntax\.yml cannot be run: syntax\.yml:6:1: (While scanning a quoted scalar )?found unexpected end of stream/,
  ],
  ['module.yml', "module.yml cannot be run: module.yml:4:7: couldn't resolve module/action 'no_such_module'"],
  [
    'role.yml',
    'The role "nope" was not found: role.yml:4:7 asks for it\n  Ansible searched for it in:\n    roles\n',
  ],
  ['no-such.yml', 'The playbook no-such.yml does not exist'],
] as const)('%s is an error: %s', async ([playbook, message], { ansible }) => {
  await expect(ansible('broken').playbook(playbook)).rejects.toThrow(message)
})

test('a limit that leaves nobody is an error that names who there is', async ({ ansible }) => {
  await expect(ansible('everything').playbook('ping.yml', { limit: 'nobody' })).rejects.toThrow(
    'The inventory has: pi.',
  )
})

test('an unreachable Pi is an error', async ({ ansible }) => {
  const unreachable = ansible('everything', { targets: [target('pi', {})] })
  await expect(unreachable.playbook('ping.yml')).rejects.toThrow(
    /^pi could not be reached at TASK \[Say nothing\] \(ping\.yml:5\): .*Connection refused/,
  )
})

test('a missing ansible-playbook is an error with the remedy', async ({ ansible }) => {
  const missing = ansible('everything', { ansiblePlaybook: '/nowhere/ansible-playbook' })
  await expect(missing.playbook('ping.yml')).rejects.toThrow('npx vitest-raspi doctor --fix')
})

test('a playbook that takes too long is ended, with the task it was at', async ({ ansible }) => {
  await expect(ansible('everything', { timeoutMs: 8_000 }).playbook('slow.yml')).rejects.toThrow(
    /^slow\.yml was still at work after 8\.0 s: TASK \[Sleep\] \(slow\.yml:5\), for /,
  )
})

test('an abort ends the playbook and all it has started', async ({ ansible, dir }) => {
  const controller = new AbortController()
  let started = 0
  const onEvent = ({ event }: AnsibleEvent) => {
    if (event !== 'task') return
    started = processesOf(dir).length
    controller.abort(new Error('enough'))
  }
  const project = ansible('everything', { signal: controller.signal, onEvent })
  // Other runs on this host have their own mark.
  await expect(project.playbook('slow.yml', { env: { MARK: dir } })).rejects.toMatchObject({
    kind: 'cancelled',
    message: 'slow.yml was stopped at TASK [Sleep] (slow.yml:5)',
  })
  expect(started).toBeGreaterThan(0)
  expect(processesOf(dir)).toEqual([])
})

test("the user's ansible.cfg, callbacks and output are theirs, and their repository is not written to", async ({
  ansible,
  dir,
}) => {
  const projectDir = join(dir, 'own-config')
  cpSync(join(fixtures, 'own-config'), projectDir, { recursive: true })
  vi.stubEnv('PYTHONDONTWRITEBYTECODE', undefined)
  onTestFinished(() => void vi.unstubAllEnvs())
  const before = globSync(`${projectDir}/**`)
  const run = await ansible('', { projectDir }).playbook('ping.yml')
  expect(run.stdout).toBe('LOUD OK\nCOUNTED\n')
  expect(run.tasks).toMatchObject([{ name: 'Say nothing', status: 'ok' }])
  expect(globSync(`${projectDir}/**`)).toEqual(before)
})

test('a broken ansible.cfg is an error in the words of Ansible', async ({ ansible, dir }) => {
  writeFileSync(join(dir, 'ansible.cfg'), 'no section\n')
  writeFileSync(join(dir, 'site.yml'), '- hosts: all\n')
  await expect(ansible('', { projectDir: dir }).playbook('site.yml')).rejects.toThrow(
    /^Ansible's configuration cannot be read: .*ansible\.cfg/,
  )
})

test('no host_vars file leads a playbook to the real machine of the name', async ({ ansible }) => {
  const run = await ansible('lab').playbook('where.yml')
  expect(run.tasks[0]?.result.msg).toBe('pi@127.0.0.1:1')
})

test('where nothing tells what is to be fixed, no task begins', async ({ ansible, dir }) => {
  const forget = 'rm "$(dirname "$0")"/run-*/play-*/callback.json'
  for (const [program, first] of [
    ['ansible-config', ''],
    ['ansible-playbook', forget],
  ] as const)
    writeFileSync(join(dir, program), `#!/bin/sh\n${first}\nexec ${program} "$@"\n`, { mode: 0o755 })
  const events: string[] = []
  const onEvent = ({ event }: AnsibleEvent) => void events.push(event)
  const forgetful = ansible('everything', { ansiblePlaybook: join(dir, 'ansible-playbook'), onEvent })
  await expect(forgetful.playbook('vars.yml', { extraVars: { dir }, tags: 'file' })).rejects.toThrow(
    /^vars\.yml was not run: its connections could not be fixed: FileNotFoundError: /,
  )
  expect(events).toEqual(['refused'])
  expect(existsSync(join(dir, 'checked'))).toBe(false)
})

test('two Pis in batches and with the free strategy are told apart', async ({ ansible, dir }) => {
  const playbook = (keyword: string) => `- name: Two
  hosts: all
  gather_facts: false
  ${keyword}
  tasks:
    - name: Say
      ansible.builtin.debug:
        msg: "{{ inventory_hostname }}"
`
  writeFileSync(join(dir, 'serial.yml'), playbook('serial: 1'))
  writeFileSync(join(dir, 'free.yml'), playbook('strategy: free'))
  const two = ansible('', { projectDir: dir, targets: [target('one'), target('two')] })
  for (const name of ['serial.yml', 'free.yml']) {
    const run = await two.playbook(name)
    expect(run.plays).toHaveLength(1)
    expect(run.tasks.map(({ host, result }) => [host, result.msg]).sort()).toEqual([
      ['one', 'one'],
      ['two', 'two'],
    ])
  }
})

test('an unreachable host that the playbook ignores is a result', async ({ ansible, dir }) => {
  writeFileSync(
    join(dir, 'site.yml'),
    '- hosts: all\n  gather_facts: false\n  ignore_unreachable: true\n  tasks:\n    - ansible.builtin.ping:\n',
  )
  const run = await ansible('', { projectDir: dir, targets: [target('pi', {})] }).playbook('site.yml')
  expect(run.tasks).toMatchObject([{ status: 'ignored', ignored: true }])
})

test('ten megabytes of output and bytes that are no UTF-8 are borne', async ({ ansible }) => {
  const run = await ansible('big').playbook('output.yml')
  const [long, odd] = run.tasks
  expect(long).toMatchObject({ cut: true })
  expect(long?.result.stdout).toMatch(/^begin\n.*characters left out.*\nend$/s)
  expect(JSON.stringify(long).length).toBeLessThan(300_000)
  // From 2.19 on Ansible itself refuses such bytes.
  expect(odd?.result.stdout ?? odd?.result.msg).toMatch(/^a\ufffdb$|invalid UTF8/)
})

test('a long loop and one of long items have all their items, in bounded space', async ({ ansible }) => {
  const run = await ansible('big', { timeoutMs: 240_000 }).playbook('loop.yml', {
    extraVars: { count: 5000 },
  })
  expect(run.tasks[0]?.items).toHaveLength(5000)
  expect(run.tasks[0]?.items.at(-1)).toMatchObject({ label: '4999', status: 'ok' })
  expect(JSON.stringify(run.tasks[0]).length).toBeLessThan(1024 * 1024)
  // A megabyte, of which what a loop may take is told: the first items whole, of the others that they were.
  expect(run.tasks[1]?.items).toHaveLength(100)
  expect(run.tasks[1]?.items[0]?.result.msg).toHaveLength(10_000)
  expect(run.tasks[1]?.items.at(-1)).toMatchObject({ label: '99', status: 'ok', result: {} })
  expect(JSON.stringify(run.tasks[1]).length).toBeLessThan(320 * 1024)
})

test('a task that takes long is named while it runs', async ({ ansible, dir }) => {
  const lines: string[] = []
  writeFileSync(
    join(dir, 'site.yml'),
    '- hosts: all\n  gather_facts: false\n  tasks:\n    - name: First\n      ansible.builtin.command: sleep 2\n    - name: Second\n      ansible.builtin.debug:\n',
  )
  await ansible('', { projectDir: dir, log: (line) => lines.push(line) }).playbook('site.yml')
  expect(lines[0]).toBe('ansible-playbook site.yml …')
  // On a slow host not the only one.
  expect(lines).toContainEqual(expect.stringMatching(/^site\.yml: TASK \[Second\] … \d/))
  expect(lines.at(-1)).toMatch(/^ansible-playbook site\.yml: done in /)
})
