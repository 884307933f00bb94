import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { test as base, expect, vi } from 'vitest'
import { accountOf } from '../../../../src/report/account.ts'
import { collectPage, type ReportedTest } from '../../../../src/report/page/collect.ts'
import { aRun, aTask } from '../../ansible/runs.ts'
import { aPi, aRecord } from '../samples.ts'

const test = base.extend('root', async ({}, { onCleanup }) => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  onCleanup(cleanup)
  mkdirSync(join(path, 'roles/web/tasks'), { recursive: true })
  writeFileSync(join(path, 'site.yml'), '- name: Web\n  hosts: all\n')
  writeFileSync(
    join(path, 'roles/web/tasks/main.yml'),
    `${'\n'.repeat(11)}- name: Install nginx\n  apt:\n    db_password: hunter22\n`,
  )
  return path
})

/** A test that failed at a task, changed by `data`. */
function aTest(root: string, data: Partial<ReportedTest> = {}): ReportedTest {
  const tasks = [
    aTask(),
    aTask({ status: 'failed', result: { msg: 'No package' }, diff: [{ before: 'a\n', after: 'b\n' }] }),
  ]
  return {
    ...{
      file: 'web.test.ts',
      name: 'the web role',
      state: 'failed',
      startedAt: 500,
      durationMs: 12_000,
      retries: 0,
    },
    ...{ errors: ['Oops'], pis: [aPi()] },
    accounts: [accountOf([aRecord({ run: aRun({ exitCode: 2, tasks }) })], ['Oops'], root, [])],
    ...data,
  }
}

const collect = (root: string, ...tests: ReportedTest[]) =>
  collectPage(tests, 'failed', { root, page: join(root, '.vitest/raspi/index.html') })

test('tests, their Pis, tasks and playbooks are told once each, and name each other', ({ root }) => {
  // Two tests of a file that share a Pi.
  const data = collect(root, aTest(root), aTest(root, { name: 'more', pis: [aPi({ usedUntil: 20_000 })] }))
  expect(data.pis).toMatchObject([{ hostname: 'pi-1', usedUntil: 20_000, tests: [0, 1] }])
  expect(data.tests.map(({ pis }) => pis)).toEqual([[0], [0]])
  expect(data.tasks).toEqual([
    { name: 'web : Install nginx', kind: 'task', place: 'roles/web/tasks/main.yml:12', line: 12, file: 0 },
  ])
  expect(data.files).toMatchObject([
    {
      path: 'roles/web/tasks/main.yml',
      marks: [{ line: 12, end: 14, status: 'failed', counts: { ok: 2, failed: 2 } }],
    },
    { path: 'site.yml', marks: [] },
  ])
  expect(data.files[0]?.text).toContain('db_password: ***')
  expect(data.tests[0]?.runs[0]?.tasks[1]).toMatchObject({ task: 0, message: 'No package', endedAfter: 0 })
  expect(data).toMatchObject({ startedAt: -2_000, endedAt: 20_000, outcome: 'failed', omitted: [] })
})

test("a failed test brings its logs, a passed one only the names of its evidence's files", ({ root }) => {
  const evidenceDir = join(root, '.vitest/raspi/web test')
  mkdirSync(evidenceDir, { recursive: true })
  writeFileSync(join(evidenceDir, 'pi.qemu.log'), 'started')
  writeFileSync(join(evidenceDir, 'pi.console.log'), `${'x\n'.repeat(50_000)}the last word`)
  writeFileSync(join(evidenceDir, 'timeline.txt'), 'when')
  const [failed, passed] = collect(
    root,
    aTest(root, { evidenceDir }),
    aTest(root, { evidenceDir, state: 'passed' }),
  ).tests
  expect(failed?.logs.map(({ name }) => name)).toEqual(['pi.console.log', 'pi.qemu.log'])
  expect(failed?.logs[0]?.text).toMatch(/the last word$/)
  expect(failed?.logs[0]?.text.length).toBeLessThan(20_000)
  expect(passed?.logs).toEqual([])
  expect(passed?.evidence).toEqual({
    href: 'web%20test',
    names: ['pi.console.log', 'pi.qemu.log', 'timeline.txt'],
  })
})

test('errors that came after the account are told as well, without what is secret', ({ root }) => {
  vi.stubEnv('APP_TOKEN', 'tok-4711')
  const [told] = collect(root, aTest(root, { errors: ['Oops', 'Late tok-4711'] })).tests
  vi.unstubAllEnvs()
  expect(told?.errors).toEqual(['Oops', 'Late ***'])
})

test('a large run leaves out what is too much, and says so', ({ root }) => {
  const diff = [{ before: '', after: `${'x'.repeat(400)}\n`.repeat(50) }]
  const tasks = Array.from({ length: 3 }, () => aTask({ status: 'changed', diff }))
  const accounts = [accountOf([aRecord({ run: aRun({ tasks }) })], [], root, [])]
  const data = collect(root, ...Array.from({ length: 400 }, () => aTest(root, { accounts })))
  expect(JSON.stringify(data).length).toBeLessThan(12_000_000)
  expect(data.omitted).toEqual(['Diffs and messages of the later tests'])
  expect(data.tests[399]?.runs[0]?.tasks).toHaveLength(3)
})

test('a test that had no Pi at all is there', ({ root }) => {
  const data = collect(root, aTest(root, { pis: [], accounts: [] }))
  expect(data.tests).toMatchObject([{ errors: ['Oops'], pis: [], runs: [] }])
  expect(data).toMatchObject({ startedAt: 500, endedAt: 12_500 })
})

test('a playbook that no test came to is shown where it is known', ({ root }) => {
  writeFileSync(join(root, 'other.yml'), '- hosts: all\n  tasks:\n    - ping:\n')
  const known = [{ path: join(root, 'other.yml'), lines: [3] }]
  const data = collectPage([aTest(root)], 'failed', { root, page: join(root, 'index.html'), known })
  expect(data.files.find(({ path }) => path === 'other.yml')?.marks).toMatchObject([
    { line: 3, status: 'missed' },
  ])
})
