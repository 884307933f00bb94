import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { test as base, expect } from 'vitest'
import type { TestModule } from 'vitest/node'
import { keepTimings, readTimings, timingKey } from '../../../src/report/timings.ts'

const test = base.extend('root', async ({}, { onCleanup }) => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  onCleanup(cleanup)
  for (const name of ['a.test.ts', 'b.test.ts']) writeFileSync(join(path, name), '')
  return path
})

/** A test file that took 1 s for its tests and 10 ms for each thing before. */
function aModule(name: string, { state = 'passed', project = '' } = {}): TestModule {
  const spent = { environmentSetupDuration: 10, prepareDuration: 10, collectDuration: 10, setupDuration: 10 }
  return {
    ...{
      relativeModuleId: name,
      moduleId: `/elsewhere/${name}`,
      project: { name: project },
      state: () => state,
    },
    diagnostic: () => ({ ...spent, duration: 1_000.4 }),
  } as unknown as TestModule
}

const committedIn = (root: string) => join(root, 'vitest-raspi.timings.json')

test('a file is called the same wherever the repository lies', () => {
  expect(timingKey('/repo', '', '/repo/test/a.test.ts')).toBe('test/a.test.ts')
  expect(timingKey('/other repo', 'pis', '/other repo/test/a.test.ts')).toBe('[pis] test/a.test.ts')
})

test('what has run counts with all that it takes to run it', async ({ root }) => {
  const file = join(root, '.vitest/raspi/timings.json')
  const modules = [
    aModule('a.test.ts'),
    aModule('b.test.ts', { state: 'failed', project: 'pis' }),
    aModule('b.test.ts', { state: 'skipped' }),
  ]
  await keepTimings([committedIn(root), file], root, modules)
  expect(readTimings(file)).toEqual({ 'a.test.ts': 1_040, '[pis] b.test.ts': 1_040 })
  await keepTimings([committedIn(root), join(root, 'none.json')], root, [
    aModule('a.test.ts', { state: 'skipped' }),
  ])
  expect(existsSync(join(root, 'none.json'))).toBe(false)
})

test('timings are kept beside those that are there, without files that are gone; a failure takes no place of a pass', async ({
  root,
}) => {
  const file = join(root, 'timings.json')
  writeFileSync(
    file,
    JSON.stringify({ version: 1, files: { 'a.test.ts': 1, 'gone.test.ts': 5, '[pis] b.test.ts': 2 } }),
  )
  await keepTimings([committedIn(root), file], root, [
    aModule('a.test.ts'),
    aModule('b.test.ts', { project: 'pis', state: 'failed' }),
  ])
  expect(readTimings(file)).toEqual({ 'a.test.ts': 1_040, '[pis] b.test.ts': 2 })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ version: 1 })
})

test('what failed keeps the timing that is committed, by which it is dealt; newer ones count more', async ({
  root,
}) => {
  const file = join(root, 'timings.json')
  const committed = { 'a.test.ts': 9_000, 'b.test.ts': 9_000, '[pis] b.test.ts': 9_000 }
  writeFileSync(committedIn(root), JSON.stringify({ version: 1, files: committed }))
  const modules = [aModule('a.test.ts', { state: 'failed' }), aModule('b.test.ts')]
  await keepTimings([committedIn(root), file], root, modules)
  expect(readTimings(file)).toEqual({ ...committed, 'b.test.ts': 1_040 })
  await keepTimings([committedIn(root), file], root, [aModule('a.test.ts')])
  expect(readTimings(file)).toEqual({ ...committed, 'a.test.ts': 1_040, 'b.test.ts': 1_040 })
  expect(readTimings(committedIn(root))).toEqual(committed)
})

test('what is no file of timings is none, and is written anew', async ({ root }) => {
  const file = join(root, 'timings.json')
  expect(readTimings(file)).toBeUndefined()
  for (const text of ['', '{"version":2,"files":{}}', '{"version":1,"files":{"a":-1}}']) {
    writeFileSync(file, text)
    expect(readTimings(file)).toMatch(/timings\.json is not used/)
  }
  await keepTimings([committedIn(root), file], root, [aModule('a.test.ts')])
  expect(readTimings(file)).toEqual({ 'a.test.ts': 1_040 })
})
