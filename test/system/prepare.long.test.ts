import { appendFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { entriesOf, makeCache, Project } from '../support/project.ts'

// Layers: made once, shared, used until something that their playbook reads has changed. Each costs minutes, so there are
// few of them here; what counts as a change, one by one, is for the unit tests.

const files = {
  'prepare.yml': `
- hosts: all
  become: true
  gather_facts: false
  roles: [base]
  tasks:
    - name: Greet
      ansible.builtin.template: { src: motd.j2, dest: /etc/motd }
    - name: Write what lies where Ansible does not look
      ansible.builtin.copy: { content: "{{ lookup('file', playbook_dir + '/odd/note.txt') }}", dest: /etc/note }
`,
  'roles/base/tasks/main.yml': `
- name: Mark
  ansible.builtin.copy: { content: "role 1", dest: /etc/role }
- name: Have a service
  ansible.builtin.copy:
    content: |
      [Service]
      ExecStart=sleep infinity
      [Install]
      WantedBy=multi-user.target
    dest: /etc/systemd/system/prepared.service
- name: Enable it
  ansible.builtin.systemd: { name: prepared, enabled: true, daemon_reload: true }
`,
  'group_vars/all.yml': 'greeting: hello 1\n',
  'templates/motd.j2': '{{ greeting }}, {{ inventory_hostname }}\n',
  'odd/note.txt': 'note 1\n',
  'more.yml': `
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - ansible.builtin.shell: cat /etc/motd /etc/role > /etc/more
`,
  'fails.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - name: Want what is not there
      ansible.builtin.command: cat /etc/no-such-file
`,
  'a.test.ts': testsOf("'prepare.yml'"),
}

function testsOf(prepare: string): string {
  return `
import { expect, raspiTest } from 'vitest-raspi'
const test = raspiTest({ prepare: ${prepare} })
const seen = []
test.for([1, 2])('Pi %i starts from there', async (number, { pi }) => {
  console.log('ETC ' + JSON.stringify((await pi.run('cat /etc/motd /etc/role /etc/note /etc/more 2>&1', { reject: false })).stdout))
  await expect(pi).toHaveService('prepared', { running: true, enabled: true })
  await expect(pi).not.toHaveFile('/etc/mine')
  await pi.writeFile('/etc/mine', 'mine')
  // Nothing of the Pi that was prepared is left in the copies.
  const facts = (await pi.run('hostname; cat /etc/hostname /etc/machine-id; cat /etc/ssh/ssh_host_*_key.pub; cat /sys/class/net/*/address')).stdout.split('\\n')
  expect(facts.slice(0, 2)).toEqual([pi.hostname, pi.hostname])
  const journal = (await pi.run('journalctl -o export --output-fields=_HOSTNAME,_MACHINE_ID,_BOOT_ID', { sudo: true })).stdout
  expect(new Set(journal.match(/^_BOOT_ID=.*/gm)).size).toBe(1)
  seen.push(facts)
  if (number === 2) for (const line of [0, 2, 3]) expect(seen[0][line]).not.toBe(seen[1][line])
})`
}

const test = base.extend('projects', async ({}, { onCleanup }) => {
  const projects = [new Project({ files }), new Project({ files })] as const
  onCleanup(() => {
    for (const project of projects) project[Symbol.dispose]()
  })
  return projects
})

test('a layer is made once, shared, and made again when something that it reads has changed', {
  timeout: 1_800_000,
}, async ({ projects }) => {
  const [project, other] = projects
  const VITEST_RASPI_CACHE = makeCache(join(project.root, 'cache'), 'images', 'frozen')
  const run = (one: Project = project) => one.vitest([], { VITEST_RASPI_CACHE }).finished(900_000)
  const before = entriesOf(VITEST_RASPI_CACHE, 'frozen').length
  const layers = () => entriesOf(VITEST_RASPI_CACHE, 'frozen').length - before

  // Two suites at once.
  const ends = await Promise.all(projects.map((one) => run(one)))
  for (const { code, output } of ends) {
    expect(output).toContain('2 passed')
    expect(output).toContain('ETC "hello 1, pi\\nrole 1note 1cat: /etc/more: No such file or directory\\n"')
    expect(code).toBe(0)
  }
  const saying = (text: string) => ends.filter(({ output }) => output.includes(text))
  expect(saying('prepare.yml: made for the first time')).toHaveLength(1)
  expect(saying('prepare.yml: from the cache, another process has made it')).toHaveLength(1)
  expect(layers()).toBe(1)

  // Again, after a change of what no playbook reads.
  writeFileSync(join(project.dir, 'README.md'), '# Mine\n')
  writeFileSync(join(project.dir, 'odd/other.txt'), 'other\n')
  const again = await run()
  expect(again.output).toContain('prepare.yml: from the cache, nothing that it reads has changed')
  expect(again.output).toContain('2 passed')
  expect(layers()).toBe(1)

  // A role, a variable, a template, a file that it was only seen to read; and one playbook more.
  appendFileSync(join(project.dir, 'roles/base/tasks/main.yml'), '\n# changed\n')
  writeFileSync(join(project.dir, 'group_vars/all.yml'), 'greeting: hello 2\n')
  writeFileSync(join(project.dir, 'odd/note.txt'), 'note 2\n')
  writeFileSync(join(project.dir, 'a.test.ts'), testsOf("['prepare.yml', { playbook: 'more.yml' }]"))
  const changed = await run()
  expect(changed.output).toContain(
    'prepare.yml: made again, because group_vars/all.yml changed, and odd/note.txt changed, and roles/base/tasks/main.yml changed',
  )
  expect(changed.output).toContain('more.yml: made for the first time')
  expect(changed.output).toContain('ETC "hello 2, pi\\nrole 1note 2hello 2, pi\\nrole 1"')
  expect(changed.output).toContain('2 passed')
  expect(layers()).toBe(3)

  // The other project still has what it had.
  expect((await run(other)).output).toContain(
    'prepare.yml: from the cache, nothing that it reads has changed',
  )
  expect(readdirSync(join(VITEST_RASPI_CACHE, 'tmp'))).toEqual([])
  for (const one of projects) expect(one.leftovers()).toEqual([])
})

test('a playbook that fails while it prepares is told, and not tried again', { timeout: 600_000 }, async ({
  projects: [project],
}) => {
  writeFileSync(join(project.dir, 'a.test.ts'), testsOf("'fails.yml'"))
  const VITEST_RASPI_CACHE = makeCache(join(project.root, 'cache'), 'images', 'frozen')
  const before = entriesOf(VITEST_RASPI_CACHE, 'frozen')
  const { code, output } = await project.vitest([], { VITEST_RASPI_CACHE }).finished(500_000)
  expect(output).toContain(
    'RaspiError: fails.yml, which is to prepare pi, failed at TASK [Want what is not there] (fails.yml:5) on pi',
  )
  expect(output).toMatch(/cat: \/etc\/no-such-file: No such file or directory/)
  expect(output).toContain('2 failed')
  expect(output.match(/fails\.yml: made for the first time/g)).toHaveLength(1)
  expect(code).toBe(1)
  expect(entriesOf(VITEST_RASPI_CACHE, 'frozen')).toEqual(before)
  expect(project.leftovers()).toEqual([])
})
