import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { processesOf, survivors } from '../support/processes.ts'
import { Project } from '../support/project.ts'

const minute = 60_000

const play = (role: string) => `- name: Everything
  hosts: all
  become: true
  gather_facts: false
  roles: [${role}]
`

// Each test tells which it is, and what it saw, in a file beside the project, where nobody watches.
const tells = `
import { appendFileSync } from 'node:fs'
import { test } from 'vitest-raspi'
const tell = (line) => appendFileSync(process.cwd() + '/../log', line + '\\n')
`

const files = {
  'site.yml': play('motd'),
  'roles/motd/tasks/main.yml':
    '- name: Greet\n  ansible.builtin.template:\n    src: motd.j2\n    dest: /etc/motd\n    mode: "0644"\n',
  'roles/motd/templates/motd.j2': 'Hello {{ inventory_hostname }}, once\n',
  'motd.test.ts': `${tells}
test('greets', async ({ pi, ansible }) => {
  await ansible.playbook('site.yml')
  tell((await pi.readFile('/etc/motd')).trim())
})
`,
  'other.yml': play('other'),
  'roles/other/tasks/main.yml': '- name: Answer\n  ansible.builtin.ping:\n',
  'other.test.ts': `${tells}
test('answers', async ({ ansible }) => {
  tell('begins')
  await ansible.playbook('other.yml')
  tell('other')
})
`,
}

test('a template that is edited runs the one test again that has used it, and Ctrl-C leaves nothing', {
  timeout: 20 * minute,
}, async () => {
  using project = new Project({ files })
  const log = () => readFileSync(join(project.root, 'log'), 'utf8').trim().split('\n')
  const run = project.watch(['--maxWorkers=1'])
  await run.says(/Waiting for file changes/, 10 * minute)
  expect(log().toSorted()).toEqual(['Hello pi, once', 'begins', 'other'])
  const labs = project.leftovers()
  expect(labs).toHaveLength(1)

  writeFileSync(join(project.dir, 'roles/motd/templates/motd.j2'), 'Hello {{ inventory_hostname }}, twice\n')
  await run.until(
    () => (run.output.match(/Waiting for file changes/g) ?? []).length === 2,
    'the second run',
    5 * minute,
  )
  expect(log().slice(3)).toEqual(['Hello pi, twice'])
  // The lab is the same, and has nothing to make.
  expect(project.leftovers()).toEqual(labs)
  expect(run.output.slice(run.output.indexOf('RERUN'))).not.toMatch(/Freezing|Building/)

  writeFileSync(join(project.dir, 'other.yml'), `${play('other')}  vars: { new: true }\n`)
  await run.until(() => (run.output.match(/RERUN/g) ?? []).length === 2, 'the third run', 5 * minute)
  // From then on the playbook takes a while.
  await run.until(() => log().at(-1) === 'begins', 'the test again', 5 * minute)
  const started = run.processes()
  run.type('\u0003')
  await run.finished(minute)
  expect(await survivors(started, () => processesOf(project.root), 5_000)).toEqual([])
  expect(project.leftovers()).toEqual([])
  expect(log()).toHaveLength(5)
})

test('q leaves nothing', { timeout: 4 * minute }, async () => {
  const plain = { 'a.test.ts': "import { test } from 'vitest-raspi'\ntest('needs no Pi', () => {})\n" }
  using project = new Project({ files: plain })
  const run = project.watch()
  await run.says(/press q to quit/, 2 * minute)
  expect(project.leftovers()).toHaveLength(1)
  const started = run.processes()
  run.type('q')
  expect((await run.finished(minute)).code).toBe(0)
  expect(await survivors(started, () => processesOf(project.root), 5_000)).toEqual([])
  expect(project.leftovers()).toEqual([])
})
