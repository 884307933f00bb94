import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { ansibleImageTar, Dockerd, hasDockerd } from '../support/dockerd.ts'
import { Project } from '../support/project.ts'

// Ansible in a container, against Pis of this host.

const image = 'test/ansible:1'
const minutes = 60_000

const files = {
  'site.yml': '- { hosts: all, become: true, gather_facts: true, roles: [hello] }\n',
  'roles/hello/tasks/main.yml': `
- name: Write the greeting
  ansible.builtin.template: { src: greeting.j2, dest: /etc/greeting, mode: "0640" }
  notify: Note it
`,
  'roles/hello/handlers/main.yml': `
- name: Note it
  ansible.builtin.copy: { content: "noted\\n", dest: /etc/noted, mode: "0644" }
`,
  'roles/hello/templates/greeting.j2': 'hello from {{ ansible_facts.hostname }}\n',
  'fails.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - { name: Fail, ansible.builtin.command: "sh -c 'echo this is why >&2; exit 3'" }
`,
  'fetch.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.fetch: { src: /etc/greeting, dest: fetched/, flat: true }
      become: true
`,
  'slow.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - { name: Wait, ansible.builtin.command: sleep 567 }
`,
  'prepare.yml': `
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - ansible.builtin.copy: { content: "prepared\\n", dest: /etc/prepared, mode: "0644" }
`,
  'pi.test.ts': `
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest-raspi'

test('a playbook', { timeout: 900_000 }, async ({ pi, ansible }) => {
  let began = false
  const run = await ansible.playbook('site.yml', { onTask: { 'Write the greeting': () => { began = true } } })
  expect(run).toSucceed()
  console.log('VERSION', run.ansible)
  expect(began).toBe(true)
  expect(await pi.run('cat /etc/greeting', { sudo: true })).toMatchObject({ stdout: \`hello from \${pi.hostname}\\n\` })
  await expect(pi).toHaveFile('/etc/noted', { mode: '0644' })
  expect(await ansible.playbook('site.yml')).toBeIdempotent()

  const failed = await ansible.playbook('fails.yml')
  expect(failed.failed[0]).toMatchObject({ name: 'Fail', result: { rc: 3, stderr: 'this is why' } })
  expect(await ansible.playbook('fetch.yml')).toSucceed()

  await expect(
    ansible.playbook('slow.yml', { onTask: { Wait: () => { throw new Error('stopped in the middle') } } }),
  ).rejects.toThrow('stopped in the middle')
  await expect.poll(() => execFileSync('sh', ['-c', process.env.TOP ?? ''], { encoding: 'utf8' })).not.toMatch(/sleep|ssh|ansible/)
  expect((await ansible.module('ping')).ok).toBe(true)
})
`,
  'prepared.test.ts': `
import { expect, raspiTest } from 'vitest-raspi'
const test = raspiTest({ prepare: 'prepare.yml' })
test('a prepared Pi', { timeout: 900_000 }, async ({ pi }) => {
  await expect(pi).toHaveFile('/etc/prepared')
})
`,
}

const test = base.extend('engine', { scope: 'file' }, async ({}, { onCleanup }) => {
  const engine = await Dockerd.start()
  onCleanup(() => engine[Symbol.asyncDispose]())
  engine.importImage(ansibleImageTar(), image)
  return engine
})

const containers = (engine: Dockerd) => engine.docker('ps', '-aq').split('\n').filter(Boolean)

function projectWith({ address }: Dockerd): Project {
  return new Project({
    files,
    options: `ansible: { container: '${image}', docker: '${address}' }, readyPis: 0`,
  })
}

test.runIf(hasDockerd())(
  'playbooks of a container work on Pis of this host, and leave their files to the user, and nothing else',
  { timeout: 20 * minutes },
  async ({ engine, onTestFinished }) => {
    const project = projectWith(engine)
    onTestFinished(() => project[Symbol.dispose]())
    const list = `docker -H ${engine.address} ps -q`
    const TOP = `docker -H ${engine.address} top $(${list}) -eo pid,comm`
    const { code, output } = await project.vitest(['pi.test.ts'], { TOP }).finished(18 * minutes)
    expect(output).toMatch(/Tests +1 passed/)
    expect(output).toMatch(/VERSION 2\.19\./)
    expect(code).toBe(0)
    const fetched = join(project.dir, 'fetched/greeting')
    expect(readFileSync(fetched, 'utf8')).toMatch(/^hello from/)
    expect(statSync(fetched).uid).toBe(process.getuid?.())
    expect(containers(engine)).toEqual([])
  },
)

test.runIf(hasDockerd())(
  'Pis are prepared by it as well, once for an image of the container',
  { timeout: 30 * minutes },
  async ({ engine, onTestFinished }) => {
    const project = projectWith(engine)
    onTestFinished(() => project[Symbol.dispose]())
    const first = await project.vitest(['prepared.test.ts']).finished(25 * minutes)
    expect(first.output).toMatch(/Tests +1 passed/)
    const second = await project.vitest(['prepared.test.ts']).finished(5 * minutes)
    expect(second.output).toMatch(/prepare\.yml: from the cache, nothing that it reads has changed/)
    expect(second.code).toBe(0)
  },
)

test.runIf(hasDockerd())(
  'a run that is killed leaves no container',
  { timeout: 20 * minutes },
  async ({ engine, onTestFinished }) => {
    const project = projectWith(engine)
    onTestFinished(() => project[Symbol.dispose]())
    const run = project.vitest(['pi.test.ts'])
    await run.says(/Ansible is 2\.19\./, 5 * minutes)
    expect(containers(engine)).toHaveLength(1)
    process.kill(run.pid, 'SIGKILL')
    await expect.poll(() => containers(engine), { timeout: 10_000 }).toEqual([])
    expect(existsSync(join(project.dir, 'fetched'))).toBe(false)
  },
)
