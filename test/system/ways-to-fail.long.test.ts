import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { PageData } from '../../src/report/page/data.ts'
import { Project } from '../support/project.ts'
import { shownOf } from '../support/shown.ts'

// Twelve ways to fail: what the terminal shows of each, and which evidence lies in its directory. The snapshots are for
// people: whoever changes one reads it, and asks whether it tells by itself what failed, where and why.

const play = (...tasks: string[]) =>
  `- name: Everything\n  hosts: all\n  become: true\n  gather_facts: false\n  tasks:\n${tasks.join('')}`

const token = 'tok-4711-tok'

const playbooks = {
  'playbooks/fails.yml': play(
    '    - name: Write the settings\n      ansible.builtin.copy:\n        dest: /etc/app.conf\n        content: "token={{ api_token }}\\n"\n        mode: "0600"\n',
    '    - name: Look for what is not there\n      ansible.builtin.command: ls /no-such-directory\n',
  ),
  'playbooks/slow.yml': play('    - name: Take a long time\n      ansible.builtin.command: sleep 600\n'),
  'vitest.config.ts': `
import { defineConfig } from 'vitest/config'
import { raspi } from 'vitest-raspi/plugin'
const { BOOT_TIMEOUT } = process.env
export default defineConfig({ plugins: [raspi(BOOT_TIMEOUT ? { bootTimeout: Number(BOOT_TIMEOUT) } : {})] })
`,
  'playbooks/restless.yml': play(
    '    - name: Note the time\n      ansible.builtin.copy:\n        dest: /etc/noted\n        content: "{{ number }}\\n"\n        mode: "0644"\n',
  ),
}

const tests = `
import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest-raspi'

const extraVars = { api_token: '${token}' }

test('a task fails', async ({ pi, ansible }) => {
  await pi.run('echo A word on the console > /dev/console; logger -t app ${token}; systemd-run -q --unit=unlucky false', { sudo: true })
  expect(await ansible.playbook('playbooks/fails.yml', { extraVars })).toSucceed()
})

test('an assertion fails, and so did a task', async ({ pi, ansible }) => {
  await ansible.playbook('playbooks/fails.yml', { extraVars, tags: 'none' })
  await ansible.playbook('playbooks/fails.yml', { extraVars })
  await expect(pi).toHaveFile('/no-such-directory/file')
})

test('a matcher waits in vain', async ({ pi }) => {
  await expect.poll(() => pi, { timeout: 15_000 }).toListenOn(8080)
})

test('a second run changes something', async ({ ansible }) => {
  await ansible.playbook('playbooks/restless.yml', { extraVars: { number: 1 } })
  expect(await ansible.playbook('playbooks/restless.yml', { extraVars: { number: 2 }, diff: true })).toBeIdempotent()
})

test('the card is full', async ({ pi, ansible }) => {
  await pi.faults.fullCard()
  expect(await ansible.playbook('playbooks/restless.yml', { extraVars: { number: 1 } })).toSucceed()
})

test('ssh is lost', async ({ pi, ansible }) => {
  // A moment later: the connection that asks for it goes with it.
  const stop = "systemctl stop ssh.socket ssh.service; pkill -KILL -x sshd"
  await pi.run(\`systemd-run --quiet --on-active=0.2 sh -c '\${stop}'\`, { sudo: true })
  await delay(5_000)
  await ansible.playbook('playbooks/slow.yml')
})

test('the kernel panics', async ({ pi }) => {
  await pi.run('echo c > /proc/sysrq-trigger', { sudo: true })
})

test('QEMU is killed', async ({ pi }) => {
  const qemu = 'qemu-system.*' + pi.controlPath.replace(/ssh$/, 'console.log')
  process.kill(Number(execFileSync('pgrep', ['-f', qemu], { encoding: 'utf8' }).trim()), 'SIGKILL')
  await pi.run('sleep 60')
})

// As long as a thawed Pi takes on a busy host, and the playbook a good while longer.
test('a playbook takes longer than its test', { timeout: 60_000 }, async ({ ansible }) => {
  await ansible.playbook('playbooks/slow.yml')
})

test('all is well', async ({ pi }) => {
  await pi.run('true')
})
`

const dead = `
import { test } from 'vitest-raspi'
test('the worker is killed', async ({ ansible }) => {
  await ansible.playbook('playbooks/slow.yml', {
    onTask: { 'Take a long time': () => process.kill(process.pid, 'SIGKILL') },
  })
})
`

const slow = `
import { test } from 'vitest-raspi'
test('the Pi takes too long to start', async ({ pi }) => {
  await pi.run('true')
})
`

const long = `
import { test } from 'vitest-raspi'
test('the run is interrupted', async ({ ansible }) => {
  await ansible.playbook('playbooks/slow.yml')
})
`

test('a test that fails is told with its task, its place and its reason, and leaves evidence', {
  timeout: 1_800_000,
}, async () => {
  using project = new Project({ files: { ...playbooks, 'web.test.ts': tests } })
  const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: project.dir, APP_SECRET: 'never-to-be-seen' }
  const { code, output } = await project.vitest([], env).finished(1_480_000)
  expect(code, output).toBe(1)
  await expect(shownOf(output, project)).toMatchFileSnapshot('snapshots/ways-to-fail.txt')

  const dir = join(project.dir, '.vitest/raspi/web.test.ts')
  // Of the journal there may be nothing, or no time for it on a busy host.
  const names = (test: string) =>
    readdirSync(join(dir, test))
      .filter((name) => name !== 'pi.journal.log')
      .sort()
  const read = (path: string) => readFileSync(join(dir, path), 'utf8')
  const kept = Object.fromEntries(readdirSync(dir).map((test) => [test, names(test)]))
  expect(kept).toMatchInlineSnapshot(`
    {
      "QEMU-is-killed": [
        "pi.console.log",
        "pi.lost.txt",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "a-matcher-waits-in-vain": [
        "pi.console.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "a-playbook-takes-longer-than-its-test": [
        "1-playbooks-slow.yml.events.jsonl",
        "1-playbooks-slow.yml.failure.txt",
        "pi.console.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "a-second-run-changes-something": [
        "1-playbooks-restless.yml.events.jsonl",
        "1-playbooks-restless.yml.log",
        "2-playbooks-restless.yml.events.jsonl",
        "2-playbooks-restless.yml.log",
        "pi.console.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "a-task-fails": [
        "1-playbooks-fails.yml.events.jsonl",
        "1-playbooks-fails.yml.failure.txt",
        "1-playbooks-fails.yml.log",
        "pi.console.log",
        "pi.failed-units.txt",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "an-assertion-fails-and-so-did-a-task": [
        "1-playbooks-fails.yml.events.jsonl",
        "1-playbooks-fails.yml.log",
        "2-playbooks-fails.yml.events.jsonl",
        "2-playbooks-fails.yml.failure.txt",
        "2-playbooks-fails.yml.log",
        "pi.console.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "ssh-is-lost": [
        "1-playbooks-slow.yml.events.jsonl",
        "1-playbooks-slow.yml.failure.txt",
        "pi.console.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "the-card-is-full": [
        "1-playbooks-restless.yml.events.jsonl",
        "1-playbooks-restless.yml.failure.txt",
        "pi.console.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "the-kernel-panics": [
        "pi.console.log",
        "pi.lost.txt",
        "pi.qemu.log",
        "timeline.txt",
      ],
    }
  `)
  expect(read('a-task-fails/pi.console.log')).toContain('A word on the console')
  expect(read('a-task-fails/pi.failed-units.txt')).toMatch(/^unlucky\.service loaded failed failed/)
  expect(read('a-task-fails/pi.journal.log')).toMatch(/app\[\d+\]: \*\*\*/)
  expect(read('a-task-fails/1-playbooks-fails.yml.failure.txt')).toContain('at playbooks/fails.yml:11')
  expect(shownOf(read('a-playbook-takes-longer-than-its-test/timeline.txt'), project)).toMatch(
    /the test asks for its Pis\n[\s\S]*: lent as pi-N, thawed in N s[\s\S]*ansible-playbook playbooks\/slow\.yml begins\n[\s\S]*the test ended/,
  )
  expect(read('a-task-fails/pi.qemu.log')).toMatch(/^\S+Z {2}starts: \S*qemu-system-aarch64 -machine raspi3b/)
  expect(read('QEMU-is-killed/pi.qemu.log')).toMatch(/^\S+Z {2}ended: QEMU was killed by SIGKILL/m)
  expect(read('the-kernel-panics/pi.lost.txt')).toMatch(
    /its kernel panicked\n[\s\S]*Kernel panic - not syncing/,
  )
  for (const line of read('a-task-fails/1-playbooks-fails.yml.events.jsonl').trim().split('\n'))
    JSON.parse(line)

  const page = readFileSync(join(project.dir, '.vitest/raspi/index.html'), 'utf8')
  const data: PageData = JSON.parse(/id="data">(.*)<\/script>/.exec(page)?.[1] ?? '')
  const states = Object.fromEntries(data.tests.map(({ name, state }) => [name, state]))
  expect(Object.values(states).toSorted()).toEqual([...Array(9).fill('failed'), 'passed'])
  expect(states['all is well']).toBe('passed')
  expect(data.pis.flatMap(({ lost }) => lost?.reason.replace(/pi-\d+/, 'pi-N') ?? [])).toEqual([
    'Pi pi-N is lost: its kernel panicked',
    'Pi pi-N is lost: QEMU was killed by SIGKILL, as the kernel does when memory runs out',
  ])
  expect(data.tests.at(-2)?.runs[0]?.tasks.at(-1)?.status).toBe('at work')

  const secrets = /tok-4711-tok|never-to-be-seen/
  expect(page).not.toMatch(secrets)
  for (const test of readdirSync(dir))
    for (const name of readdirSync(join(dir, test))) expect(read(`${test}/${name}`)).not.toMatch(secrets)
})

test('what is cut short is told, too: a Pi that is too slow, a worker that dies, a run that is interrupted', {
  timeout: 900_000,
}, async () => {
  const files = { ...playbooks, 'slow.test.ts': slow, 'dead.test.ts': dead, 'long.test.ts': long }
  using project = new Project({ files })
  const interrupted = () => {
    const dir = join(project.dir, '.vitest/raspi/interrupted')
    return readdirSync(dir).flatMap((test) => readdirSync(join(dir, test)).map((name) => `${test}/${name}`))
  }

  const boot = await project.vitest(['slow'], { BOOT_TIMEOUT: '300' }).finished(200_000)
  const worker = await project.vitest(['dead']).finished(200_000)
  expect(interrupted()).toMatchInlineSnapshot(`
    [
      "the-worker-is-killed/pi.console.log",
      "the-worker-is-killed/pi.qemu.log",
    ]
  `)

  const run = project.vitest(['long'])
  await run.says(/slow\.yml.*Take a long time/, 200_000)
  expect(await run.interrupt('SIGINT', 3_000)).toEqual([])
  const { output } = await run.finished(10_000)
  expect(interrupted()).toMatchInlineSnapshot(`
    [
      "the-run-is-interrupted/pi.console.log",
      "the-run-is-interrupted/pi.qemu.log",
    ]
  `)

  const shown = [boot.output, worker.output, output].map((text) => shownOf(text, project))
  await expect(shown.join('\n\n========\n\n')).toMatchFileSnapshot('snapshots/cut-short.txt')
})
