import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'

// What a run leaves behind besides its verdicts: coverage, evidence and reports, and no secret in any of them.

const site = `- name: Site
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Show what a vault holds
      ansible.builtin.command: echo {{ vaulted }} {{ vaulted_file }}
      changed_when: false
    - name: Write what nobody may see
      ansible.builtin.copy:
        dest: /etc/app.conf
        content: "value={{ plain }}"
        mode: "0600"
      no_log: true
    - name: Loop over what nobody may see
      ansible.builtin.command: echo {{ item }}
      loop: ["{{ plain }}", "{{ plain }} too"]
      no_log: true
      changed_when: false
    - name: Fail with what nobody may see
      ansible.builtin.command: "false {{ plain }}"
      no_log: true
    - name: Is not reached
      ansible.builtin.debug:
`

const file = `import { expect, raspiTest } from 'vitest-raspi'

const test = raspiTest({ scope: 'file' })
const extraVars = { plain: process.env.PLAIN }

test('fails where it should', async ({ ansible }) => {
  const events = []
  const run = await ansible.playbook('site.yml', { extraVars, diff: true, onEvent: (event) => events.push(event) })
  expect(run).toFail({ task: 'Fail with what nobody may see' })
  console.log(JSON.stringify([run, events]))
  // What these matchers say is in the output then.
  for (const judge of [() => expect(run).toSucceed(), () => expect(run).toBeIdempotent(), () => expect(run).not.toHaveChanged()]) {
    try { judge() } catch (error) { console.log(error.message) }
  }
})
`

test('a run tells what it covered, fails below the threshold, and shows no secret in any file', {
  timeout: 600_000,
}, async () => {
  const secrets = ['inline-ocelot-17', 'whole-marmot-23', 'plain-gannet-42']
  const [inline = '', whole = '', plain = ''] = secrets
  using project = new Project({
    options: `evidence: 'all', coverage: { thresholds: { tasks: 90, handlers: 100 } }`,
    files: {
      'ansible.cfg': '[defaults]\nvault_password_file = password\n',
      password: 'open sesame',
      'group_vars/all/whole.yml': `vaulted_file: ${whole}\n`,
      'site.yml': site,
      'site.test.ts': file,
    },
  })
  const vault = (...args: string[]) =>
    execFileSync('ansible-vault', args, {
      cwd: project.dir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  vault('encrypt', 'group_vars/all/whole.yml')
  writeFileSync(
    join(project.dir, 'group_vars/all/inline.yml'),
    vault('encrypt_string', inline, '--name=vaulted'),
  )

  const reporters = ['--reporter=default', '--reporter=json', '--reporter=junit']
  const outputs = ['--outputFile.json=report.json', '--outputFile.junit=report.xml']
  const run = project.vitest([...reporters, ...outputs], { PLAIN: plain })
  const { code, output } = await run.finished(580_000)

  expect(output).toContain('1 passed')
  expect(output).toContain('The coverage of tasks is 80 %, below the threshold of 90 %.')
  expect(output).toMatch(/ site\.yml +\| +80 % \| +- \| +- \| +- \| 23\n/)
  expect(code, output).toBe(1)
  const lcov = readFileSync(join(project.dir, '.vitest/raspi/coverage/lcov.info'), 'utf8')
  expect(lcov.split('\n')).toEqual(
    expect.arrayContaining(['SF:site.yml', 'DA:6,1', 'DA:23,0', 'LF:5', 'LH:4']),
  )

  const left = globSync('**/*', { cwd: project.root, exclude: ['**/node_modules'] })
  const hidden = globSync('.vitest/**/*', { cwd: project.dir }).map((path) => join('my pis', path))
  const texts = [...new Set([...left, ...hidden])]
    .map((path) => join(project.root, path))
    .filter((path) => existsSync(path) && statSync(path).isFile())
  const names = texts.join('\n')
  for (const kept of [
    ...['report.json', 'report.xml', 'lcov.info', 'raspi/index.html', 'timeline.txt'],
    ...['site.yml.log', 'events.jsonl', 'failure.txt', 'qemu.log'],
  ])
    expect(names).toContain(kept)
  for (const secret of secrets) {
    expect(output).not.toContain(secret)
    expect(texts.filter((path) => readFileSync(path).includes(secret))).toEqual([])
  }
})
