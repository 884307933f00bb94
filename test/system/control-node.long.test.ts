import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test as base, expect } from 'vitest'
import { Ansible, type AnsibleContext } from '../../src/ansible/ansible.ts'
import { installRequirements } from '../../src/ansible/galaxy.ts'
import { readInventory } from '../../src/ansible/user-inventory.ts'
import { ControlNode } from '../../src/control-node/control-node.ts'
import { privateDir } from '../../src/host/paths.ts'
import { ansibleImageTar, Dockerd, hasDockerd } from '../support/dockerd.ts'
import { target } from '../support/local-ansible.ts'
import { openSshDoor } from '../support/ssh-door.ts'

// Ansible in a container of an engine of the test's own, against this host in the place of a Pi.

const image = 'test/ansible:1'
const minutes = 60_000

const files = {
  // What stands for a Pi has no SFTP.
  'ansible.cfg': '[defaults]\nroles_path = roles\n[ssh_connection]\ntransfer_method = piped\n',
  'hosts.ini': '[pis]\npi greeting=hello\n',
  'site.yml': `
- hosts: all
  gather_facts: false
  roles: [web]
`,
  'roles/web/tasks/main.yml': `
- name: Write the page
  ansible.builtin.template: { src: page.j2, dest: "{{ place }}/page", mode: "0644" }
  notify: Tell
`,
  'roles/web/handlers/main.yml': `
- name: Tell
  ansible.builtin.copy: { content: told, dest: "{{ place }}/told", mode: "0644" }
`,
  'roles/web/templates/page.j2': 'by {{ ansible_version.full }} for {{ inventory_hostname }}\n',
  'fetch.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.fetch: { src: "{{ place }}/page", dest: fetched/, flat: true }
`,
  'fails.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - { name: Fail, ansible.builtin.command: "sh -c 'echo this is why >&2; exit 3'" }
`,
  'slow.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - { name: Wait, ansible.builtin.command: sleep 567 }
`,
  'slow-here.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - { name: Wait, ansible.builtin.command: sleep 568, delegate_to: localhost }
`,
}

const test = base
  .extend('tar', { scope: 'file' }, () => ansibleImageTar())
  .extend('hidden', { scope: 'file' }, ({}, { onCleanup }) => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'rh-')))
    onCleanup(() => rmSync(dir, { recursive: true, force: true }))
    return dir
  })
  .extend('engines', { scope: 'file' }, async ({ tar, hidden }, { onCleanup }) => {
    const engines = { here: await Dockerd.start(), elsewhere: await Dockerd.start({ hidden }) }
    onCleanup(async () => {
      for (const engine of Object.values(engines)) await engine[Symbol.asyncDispose]()
    })
    for (const engine of Object.values(engines)) engine.importImage(tar, image)
    return engines
  })

const containers = (engine: Dockerd) => engine.docker('ps', '-aq').split('\n').filter(Boolean)

/** The processes in the only container of `engine`. */
const processes = (engine: Dockerd) => engine.docker('top', containers(engine)[0] ?? '', '-eo', 'pid,comm')

for (const where of ['here', 'elsewhere'] as const) {
  test.runIf(hasDockerd())(
    `with an engine ${where} playbooks run in a container, on what ssh reaches at this host`,
    { timeout: 15 * minutes },
    async ({ engines, hidden, onTestFinished }) => {
      const engine = engines[where]
      const root = mkdtempSync(join(hidden, 'a b-'))
      const [projectDir, runDir, place] = ['project', 'run', 'pi'].map((name) => privateDir(root, name)) as [
        ...[string, string, string],
      ]
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(join(projectDir, name, '..'), { recursive: true })
        writeFileSync(join(projectDir, name), text)
      }
      const lines: string[] = []
      const log = (line: string) => void lines.push(line)
      const workDir = privateDir(runDir, 'workers')
      const option = { container: image, docker: engine.address, paths: [] }
      const { signal } = new AbortController()
      const node = await ControlNode.start({ option, projectDir, runDir, workDir, log, signal })
      onTestFinished(() => node.close())
      expect(lines.at(-1)).toMatch(where === 'here' ? /its own directories/ : /copies of the project/)
      expect(node.version).toMatch(/^2\.19\./)
      const door = await openSshDoor(privateDir(root, 'keys'))
      onTestFinished(() => door.close())
      const programEnv = node.env
      const inventory = await readInventory('hosts.ini', { projectDir, env: programEnv })
      expect(inventory.vars.pi).toMatchObject({ greeting: 'hello' })
      const context: AnsibleContext = {
        ...{ projectDir, programEnv, inventory, log, timeoutMs: 5 * minutes },
        runDir: privateDir(workDir, 'ansible-1'),
        targets: [{ ...target('pi', { place }), ...door.connection, controlPath: join(runDir, 'no-such') }],
        readsFile: join(privateDir(workDir, 'ansible-1'), 'reads'),
      }
      const ansible = new Ansible(context)

      const first = await ansible.playbook('site.yml')
      expect(first.ok, first.stdout + first.stderr).toBe(true)
      expect(first.ansible).toBe(node.version)
      expect(readFileSync(join(place, 'page'), 'utf8')).toBe(`by ${node.version} for pi\n`)
      expect(readFileSync(join(place, 'told'), 'utf8')).toBe('told')
      expect(readFileSync(context.readsFile ?? '', 'utf8')).toContain(
        `f\t${projectDir}/roles/web/tasks/main.yml`,
      )
      expect(door.connections()).toBeGreaterThan(0)

      // An edit of the user's is seen, and a second run changes nothing else.
      writeFileSync(join(projectDir, 'roles/web/templates/page.j2'), 'edited\n')
      expect(
        (await ansible.playbook('site.yml')).tasks.filter(({ status }) => status === 'changed'),
      ).toHaveLength(1)
      expect(readFileSync(join(place, 'page'), 'utf8')).toBe('edited\n')
      expect((await ansible.role('web')).tasks.some(({ status }) => status === 'changed')).toBe(false)

      const failed = await ansible.playbook('fails.yml')
      expect(failed.failed[0]?.result).toMatchObject({ stderr: 'this is why', rc: 3 })

      expect((await ansible.playbook('fetch.yml')).ok).toBe(true)
      expect(existsSync(join(projectDir, 'fetched/page'))).toBe(where === 'here')

      for (const playbook of ['slow.yml', 'slow-here.yml']) {
        const stop = new AbortController()
        const stopped = new Ansible({ ...context, signal: stop.signal })
        await expect(
          stopped.playbook(playbook, { onTask: { Wait: () => stop.abort(new Error('enough')) } }),
        ).rejects.toThrow('was stopped at TASK [Wait]')
        await expect.poll(() => processes(engine), { timeout: 5_000 }).not.toMatch(/sleep|ansible|ssh/)
      }
      // Two at once have the same port there.
      const both = await Promise.all([ansible.module('ping'), ansible.module('command', { cmd: 'sleep 1' })])
      expect(both.map(({ ok }) => ok)).toEqual([true, true])
      expect(readdirSync(context.runDir)).toEqual(['reads'])
      await node.close()
      expect(containers(engine)).toEqual([])
    },
  )
}

test.runIf(hasDockerd())(
  'requirements are installed by the container into directories of this host',
  { timeout: 10 * minutes },
  async ({ engines, hidden, onTestFinished }) => {
    for (const engine of Object.values(engines)) {
      const root = mkdtempSync(join(hidden, 'g-'))
      const projectDir = privateDir(root, 'project')
      const workDir = privateDir(root, 'run', 'workers')
      mkdirSync(join(projectDir, 'src/tasks'), { recursive: true })
      mkdirSync(join(projectDir, 'src/meta'), { recursive: true })
      writeFileSync(join(projectDir, 'src/tasks/main.yml'), '- ansible.builtin.ping:\n')
      writeFileSync(join(projectDir, 'src/meta/main.yml'), 'galaxy_info: { author: x, license: MIT }\n')
      const archive = join(projectDir, 'role.tar.gz')
      execFileSync('tar', ['-czf', archive, '-C', projectDir, 'src'])
      writeFileSync(
        join(projectDir, 'requirements.yml'),
        `roles: [{ src: "file://${archive}", name: mine }]\n`,
      )
      const node = await ControlNode.start({
        option: { container: image, docker: engine.address, paths: [] },
        ...{ projectDir, runDir: dirname(workDir), workDir, log: () => {} },
        signal: new AbortController().signal,
      })
      onTestFinished(() => node.close())
      const paths = await installRequirements(true, {
        ...{ projectDir, runDir: workDir, env: node.env, log: () => {} },
      })
      expect(existsSync(join(paths.roles[0] ?? '', 'mine/tasks/main.yml'))).toBe(true)
    }
  },
)
