import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withoutRepository } from '../../src/host/git.ts'
import { pageDataOf } from '../support/page-data.ts'
import { Project } from '../support/project.ts'

// Shards through the whole of Vitest, without a Pi: the tests tell what they had and ran as the fixtures would. Each shard has
// a Pi 1, lent at the same moment, as machines that know nothing of each other may.

const told = (name: string) => `import { recordArtifact, test } from 'vitest'
import { setTimeout as delay } from 'node:timers/promises'
test('runs ${name}', async ({ task }) => {
  await delay(50)
  const number = JSON.parse(process.env.NUMBERS)['${name}']
  const pi = { number, lentAt: 1000, name: 'pi', hostname: 'pi-1', origin: 'thawed', queuedMs: 0 }
  const times = { askedAt: 500, startedAt: 500, startMs: 400, usedUntil: 9000 }
  const runs = [{ playbook: 'site.yml', ok: true, durationMs: 1000, tasks: 2, changed: 1, slowest: [] }]
  task.meta.raspi = { pis: [{ ...pi, ...times }], runs, covered: { 'site.yml': { 4: [1, 1, 0] } } }
  const path = process.cwd() + '/site.yml'
  const did = { name: 'Say it', handler: false, path, line: 4, host: 'pi', status: 'changed', endedAt: 2000, durationMs: 9 }
  const run = { playbook: 'site.yml', ok: true, check: false, outcome: 'exit code 0', startedAt: 1000, endedAt: 2000, omitted: 0 }
  const account = { errors: [], runs: [{ ...run, plays: [{ name: 'Site', path, line: 1 }], tasks: [did] }] }
  await recordArtifact(task, { type: 'vitest-raspi:account', account })
})
`
const names = ['a', 'b', 'c', 'd', 'e']
const files = {
  'site.yml': '- name: Site\n  hosts: all\n  tasks:\n    - name: Say it\n      ansible.builtin.debug:\n',
  ...Object.fromEntries(names.map((name) => [`${name}.test.ts`, told(name)])),
}
const options = 'coverage: true'
const timings = {
  version: 1,
  files: Object.fromEntries(names.map((name) => [`${name}.test.ts`, name === 'a' ? 9_000 : 1])),
}
/** b and d are in one shard, c and e in another. */
const inShards = { NUMBERS: JSON.stringify({ a: 1, b: 1, c: 1, d: 2, e: 2 }) }
const blob = ['--reporter=blob', '--reporter=default']

test('three shards, merged elsewhere, close as one run does; what cannot be whole fails', {
  timeout: 600_000,
}, async () => {
  using whole = new Project({ files, options })
  const one = await whole
    .vitest([], { NUMBERS: JSON.stringify({ a: 1, b: 2, c: 3, d: 4, e: 5 }) })
    .finished(120_000)
  expect(one.code, one.output).toBe(0)

  const committed = { ...files, 'vitest-raspi.timings.json': JSON.stringify(timings) }
  using sharded = new Project({ files: committed, options })
  const outputs: string[] = []
  for (const shard of ['1/3', '2/3', '3/3']) {
    const { code, output } = await sharded.vitest([`--shard=${shard}`, ...blob], inShards).finished(120_000)
    expect(code, output).toBe(0)
    outputs.push(output)
  }
  // By the timings, the first has the one long file and the others share the rest.
  expect(outputs.map((output) => /Test Files +(\d) passed/.exec(output)?.[1])).toEqual(['1', '2', '2'])
  expect(existsSync(join(sharded.dir, '.vitest/raspi/timings.json'))).toBe(false)

  // Each shard's `.vitest` as a CI brings it to the machine that merges: another checkout, in another place.
  using elsewhere = new Project({ files, options })
  for (const index of [1, 2, 3]) {
    const dir = join(elsewhere.dir, 'shards', `${index}`)
    mkdirSync(join(dir, 'blob'), { recursive: true })
    cpSync(join(sharded.dir, `.vitest/blob/blob-${index}-3.json`), join(dir, `blob/blob-${index}-3.json`))
  }
  const merge = (...dirs: string[]) => {
    const cli = join(elsewhere.dir, 'node_modules/vitest-raspi/dist/cli/main.js')
    const { NO_COLOR: _, ...env } = process.env
    const run = spawnSync(process.execPath, [cli, 'report', 'merge', ...dirs], {
      ...{ cwd: elsewhere.dir, encoding: 'utf8', env: { ...env, NO_COLOR: '1', VITEST: undefined } },
    })
    return { code: run.status, output: `${run.stdout}${run.stderr}` }
  }
  const merged = merge('shards/1', 'shards/2', 'shards/3')
  expect(merged.code, merged.output).toBe(0)
  for (const line of closingOf(one.output)) expect(merged.output).toContain(line)
  expect(closingOf(one.output).join('\n')).toContain('5 thawed in 0.4 s each (median); at most 5 at once')
  const left = (project: Project, name: string) =>
    readFileSync(join(project.dir, '.vitest/raspi', name), 'utf8')
  expect(left(elsewhere, 'coverage/lcov.info')).toBe(left(whole, 'coverage/lcov.info'))
  expect(countsOf(left(elsewhere, 'index.html'))).toEqual(countsOf(left(whole, 'index.html')))
  const [here, there] = [left(elsewhere, 'timings.json'), left(whole, 'timings.json')].map(
    (text) => JSON.parse(text).files,
  )
  expect(Object.keys(here)).toEqual(Object.keys(there))
  for (const ms of Object.values(here)) expect(ms).toBeGreaterThanOrEqual(50)

  // Where everything lies in its place, Vitest alone does it.
  const plain = await sharded.vitest(['--merge-reports']).finished(120_000)
  expect(plain.code, plain.output).toBe(0)
  for (const line of closingOf(one.output)) expect(plain.output).toContain(line)

  // Timings by which the shards were dealt are kept of what a shard did not bring to its end.
  elsewhere.write({ 'shards/1/raspi/timings.json': JSON.stringify(timings) })
  rmSync(join(elsewhere.dir, '.vitest'), { recursive: true })
  const missing = merge('shards/1', 'shards/3')
  expect(missing.output).toContain('The report of shard 2 of 3 is missing')
  expect(missing.code).toBe(1)
  expect(JSON.parse(left(elsewhere, 'timings.json')).files).toMatchObject({ 'b.test.ts': 1, 'd.test.ts': 1 })

  // A shard that knew other timings.
  sharded.write({
    'vitest-raspi.timings.json': JSON.stringify({ ...timings, files: { 'e.test.ts': 9_000 } }),
  })
  await sharded.vitest(['--shard=2/3', ...blob], inShards).finished(120_000)
  const mixed = await sharded.vitest(['--merge-reports']).finished(120_000)
  expect(mixed.output).toContain('did not share out the same test files by the same timings')
  expect(mixed.code).toBe(1)
  // And nothing of it is for Git.
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: elsewhere.dir, env: withoutRepository(process.env), encoding: 'utf8' })
  git('init', '--quiet')
  expect(git('status', '--short', '--untracked-files=all', '.vitest')).not.toContain('raspi')
})

/** What a run says at its end of Pis, playbooks and coverage. */
function closingOf(output: string): string[] {
  const lines = output.split('\n').map((line) => line.trim())
  return lines.filter((line) => /^(Pis|Playbooks) |^(All files|site\.yml) /.test(line))
}

/** What a page shows, without times. */
function countsOf(page: string) {
  const { tests, pis, tasks, files } = pageDataOf(page)
  return {
    tests: tests
      .map(({ file, name, state, pis, runs }) => [file, name, state, pis.length, runs.length])
      .sort(),
    ...{ pis: pis.length, tasks, files },
  }
}
