import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { gatherEvidence } from '../../src/report/evidence.ts'
import type { PageData } from '../../src/report/page/data.ts'
import { aLentPi } from '../unit/report/samples.ts'
import { Project } from './support/project.ts'

const play = (...tasks: string[]) =>
  `- name: Everything\n  hosts: all\n  become: true\n  gather_facts: false\n  tasks:\n${tasks.join('')}`

const failing = {
  'playbooks/fails.yml': play(
    '    - name: Write the settings\n      ansible.builtin.copy:\n        dest: /etc/app.conf\n        content: "token={{ api_token }}\\n"\n        mode: "0600"\n',
    '    - name: Look for what is not there\n      ansible.builtin.command: ls /no-such-directory\n',
  ),
  'playbooks/slow.yml': play('    - name: Take a long time\n      ansible.builtin.command: sleep 600\n'),
  'web.test.ts': `
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest-raspi'

const extraVars = { api_token: 'tok-4711-tok' }

test('a task fails', async ({ pi, ansible }) => {
  await pi.run('echo A word on the console > /dev/console; logger -t app tok-4711-tok; systemd-run -q --unit=unlucky false', { sudo: true })
  expect(await ansible.playbook('playbooks/fails.yml', { extraVars })).toSucceed()
})

test('a matcher fails, and so did a task', async ({ pi, ansible }) => {
  await ansible.playbook('playbooks/fails.yml', { extraVars, tags: 'none' })
  await ansible.playbook('playbooks/fails.yml', { extraVars })
  await expect(pi).toHaveFile('/no-such-directory/file')
})

// As long as a thawed Pi takes on a busy host, and the playbook a good while longer.
test('a playbook takes longer than its test', { timeout: 150_000 }, async ({ ansible }) => {
  await ansible.playbook('playbooks/slow.yml')
})

test('the Pi dies', async ({ pi }) => {
  const qemu = 'qemu-system.*' + pi.controlPath.replace(/ssh$/, 'console.log')
  process.kill(Number(execFileSync('pgrep', ['-f', qemu], { encoding: 'utf8' }).trim()), 'SIGKILL')
  await pi.run('sleep 60')
})

test('all is well', async ({ pi }) => {
  await pi.run('true')
})
`,
}

/** Makes what is not in the cache yet, so that limits of tests count only what the tests do. */
async function warmCache() {
  const warm =
    "import { test } from 'vitest-raspi'\ntest('warm', async ({ pi }) => void (await pi.run('true')))\n"
  using project = new Project({ files: { 'warm.test.ts': warm } })
  const { code, output } = await project.vitest().finished(1_500_000)
  expect(code, output).toBe(0)
}

test('failed tests leave evidence, in the terminal, on GitHub and in files', {
  timeout: 3_000_000,
}, async () => {
  await warmCache()
  using project = new Project({ files: failing })
  const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: project.dir, APP_SECRET: 'never-to-be-seen' }
  const { code, output } = await project.vitest([], env).finished(1_480_000)
  expect(code, output).toBe(1)

  const ours = output.slice(output.indexOf(' Raspberry Pis of failed tests'))
  expect(normalise(ours.replace(/^::error.*\n\n?/gm, ''))).toMatchInlineSnapshot(`
    "Raspberry Pis of failed tests 

     × web.test.ts > a task fails
       Console of pi, its last lines:
         [kernel]
         A word on the console
       Evidence: .vitest/raspi/web.test.ts/a-task-fails

     × web.test.ts > a matcher fails, and so did a task
       TASK [Look for what is not there] failed on pi (playbooks/fails.yml:11)
         non-zero return code
       Console of pi, its last lines:
         [kernel]
       Evidence: .vitest/raspi/web.test.ts/a-matcher-fails-and-so-did-a-task

     × web.test.ts > a playbook takes longer than its test
       TASK [Take a long time] still at work after N s (playbooks/slow.yml:6)
       Console of pi, its last lines:
         [kernel]
       Evidence: .vitest/raspi/web.test.ts/a-playbook-takes-longer-than-its-test

     × web.test.ts > the Pi dies
       Evidence: .vitest/raspi/web.test.ts/the-Pi-dies


            Pis  5 thawed in N s each (median); at most 1 at once
      Playbooks  4 runs (3 failed) in N s, 4 tasks, 2 changed
        Slowest  N s  Write the settings (playbooks/fails.yml:6)
                 N s  Write the settings (playbooks/fails.yml:6)
                 N s  Look for what is not there (playbooks/fails.yml:11)
         Report  .vitest/raspi/index.html"
  `)
  expect(normalise(ours.match(/^::error file=playbooks.*/gm)?.join('\n') ?? '')).toMatchInlineSnapshot(`
    "::error file=playbooks/fails.yml,line=11,title=web.test.ts > a task fails::TASK [Look for what is not there] failed on pi after N s: non-zero return code
    ::error file=playbooks/fails.yml,line=11,title=web.test.ts > a matcher fails%2C and so did a task::TASK [Look for what is not there] failed on pi after N s: non-zero return code
    ::error file=playbooks/slow.yml,line=6,title=web.test.ts > a playbook takes longer than its test::TASK [Take a long time] was still at work after N s"
  `)
  // Vitest's own reporter names the files below the error.
  expect(output).toContain('↳ 1-playbooks-fails.yml.log')

  const dir = join(project.dir, '.vitest/raspi/web.test.ts')
  const names = (test: string) => readdirSync(join(dir, test)).sort()
  const read = (path: string) => readFileSync(join(dir, path), 'utf8')
  expect(Object.fromEntries(readdirSync(dir).map((test) => [test, names(test)]))).toMatchInlineSnapshot(`
    {
      "a-matcher-fails-and-so-did-a-task": [
        "1-playbooks-fails.yml.events.jsonl",
        "1-playbooks-fails.yml.log",
        "2-playbooks-fails.yml.events.jsonl",
        "2-playbooks-fails.yml.failure.txt",
        "2-playbooks-fails.yml.log",
        "pi.console.log",
        "pi.journal.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "a-playbook-takes-longer-than-its-test": [
        "1-playbooks-slow.yml.events.jsonl",
        "1-playbooks-slow.yml.failure.txt",
        "pi.console.log",
        "pi.journal.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "a-task-fails": [
        "1-playbooks-fails.yml.events.jsonl",
        "1-playbooks-fails.yml.failure.txt",
        "1-playbooks-fails.yml.log",
        "pi.console.log",
        "pi.failed-units.txt",
        "pi.journal.log",
        "pi.qemu.log",
        "timeline.txt",
      ],
      "the-Pi-dies": [
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
  expect(normalise(read('a-playbook-takes-longer-than-its-test/timeline.txt'))).toMatch(
    /the test asks for its Pis\n[\s\S]*: lent as pi-N, thawed in N s[\s\S]*ansible-playbook playbooks\/slow\.yml begins\n[\s\S]*the test ended/,
  )
  expect(read('a-task-fails/pi.qemu.log')).toMatch(/^\S+Z {2}starts: \S*qemu-system-aarch64 -machine raspi3b/)
  expect(read('the-Pi-dies/pi.qemu.log')).toMatch(/^\S+Z {2}ended: QEMU was killed by SIGKILL/m)
  const page = readFileSync(join(project.dir, '.vitest/raspi/index.html'), 'utf8')
  const data: PageData = JSON.parse(/id="data">(.*)<\/script>/.exec(page)?.[1] ?? '')
  expect(data.tests.map(({ name, state }) => `${state} ${name}`)).toEqual([
    ...['failed a task fails', 'failed a matcher fails, and so did a task'],
    ...['failed a playbook takes longer than its test', 'failed the Pi dies', 'passed all is well'],
  ])
  expect(data.pis).toHaveLength(5)
  expect(data.pis[3]?.lost?.reason).toContain('QEMU was killed by SIGKILL')
  expect(data.tests[2]?.runs[0]?.tasks.at(-1)?.status).toBe('at work')
  expect(data.files.map(({ path }) => path)).toEqual(['playbooks/fails.yml', 'playbooks/slow.yml'])
  expect(page).not.toMatch(/tok-4711-tok|never-to-be-seen/)
  for (const line of read('a-task-fails/1-playbooks-fails.yml.events.jsonl').trim().split('\n'))
    JSON.parse(line)
  for (const test of readdirSync(dir)) {
    for (const name of names(test))
      expect(read(`${test}/${name}`)).not.toMatch(/tok-4711-tok|never-to-be-seen/)
  }
})

// Without Pis: what a test with one tells the reporter is enough.
const told = {
  'web.test.ts': `
import { expect, recordArtifact, test } from 'vitest'

test('the web role', async ({ task }) => {
  const at = { number: 1, name: 'pi', hostname: 'pi-1', origin: 'thawed', startMs: 2_900, queuedMs: 0, askedAt: 0, startedAt: 0, lentAt: 1, usedUntil: 2 }
  task.meta.raspi = { pis: [at], runs: [] }
  const path = process.cwd() + '/site.yml'
  const failed = { what: 'failed', title: 'TASK [Ping]', path, line: 4, durationMs: 1, message: 'No', diff: [], told: false }
  await recordArtifact(task, { type: 'vitest-raspi:evidence', summary: { dir: '/evidence', consoles: [], tasks: [failed] } })
  expect(1).toBe(2)
})
`,
}

const vitest4 = fileURLToPath(new URL('../vitest-4/node_modules', import.meta.url))

describe.each([
  ['Vitest', undefined],
  // Where it is installed: `npm ci` in test/vitest-4.
  ...(existsSync(vitest4) ? [['Vitest 4', vitest4] as const] : []),
] as const)('beside the other reporters of %s', (_, vitestFrom) => {
  test.for([
    '',
    '--reporter=dot',
    '--reporter=verbose --reporter=vitest-raspi/reporter',
    '--reporter=default --reporter=github-actions --reporter=blob',
    '--reporter=default --reporter=junit --outputFile.junit=junit.xml',
  ])('%s', { timeout: 120_000 }, async (reporters) => {
    const args = reporters.split(' ').filter(Boolean)
    using project = new Project({ files: told, ...(vitestFrom ? { vitestFrom } : {}) })
    const { output } = await project
      .vitest(args, { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: project.dir })
      .finished(110_000)
    expect(output.match(/Evidence: \/evidence/g)).toHaveLength(1)
    expect(output.match(/1 thawed in 2\.9 s/g)).toHaveLength(1)
    expect(
      output.match(
        /^::error file=site\.yml,line=4,title=web\.test\.ts > the web role::TASK \[Ping\] failed/gm,
      ),
    ).toHaveLength(1)
    expect(output.match(/Report {2}\.vitest\/raspi\/index\.html/g)).toHaveLength(1)
    expect(readFileSync(join(project.dir, '.vitest/raspi/index.html'), 'utf8')).toContain('the web role')
    // After the failures and counts of the others.
    expect(output.indexOf('Evidence:')).toBeGreaterThan(output.indexOf('expected 1 to be 2'))
  })
})

test('a Pi that does not answer takes less than 3 s', async () => {
  // It takes connections and says nothing.
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  try {
    const lent = aLentPi('/none')
    const port = (silent.address() as { port: number }).port
    const started = performance.now()
    const files = await gatherEvidence({
      pis: [{ lent: { ...lent, connection: { ...lent.connection, port } } }],
      ...{ records: [], askedAt: 0, lentAt: 0, queuedMs: 0, projectDir: '/', vars: {} },
    })
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(Object.keys(files)).toEqual(['timeline.txt'])
  } finally {
    silent.close()
  }
})

/** Without what differs from run to run: times, and what the kernel says on the console. */
function normalise(text: string): string {
  return text
    .replace(/ [^;]+ saved against booting \([^)]*\);/g, '')
    .replace(/waited [^;]* for others at most/g, '')
    .replace(/\d+ min \d+ s|\d+(\.\d)? s\b/g, 'N s')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/( {5}\[ *\d+\.\d+\] .*\n)+/g, '     [kernel]\n')
    .replace(/pi-\d+/g, 'pi-N')
    .trim()
}
