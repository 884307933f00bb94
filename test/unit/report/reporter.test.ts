import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { dir as tempDir } from 'tmp-promise'
import { afterEach, expect, test, vi } from 'vitest'
import type { TestModule, TestRunEndReason, Vitest } from 'vitest/node'
import type { FailureSummary, RaspiMeta } from '../../../src/report/meta.ts'
import { RaspiReporter } from '../../../src/reporter.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aFailureTask, aPi } from './samples.ts'

afterEach(() => vi.unstubAllEnvs())

interface Told {
  meta?: RaspiMeta
  failure?: FailureSummary
}

/** What the reporter says of one test, on stdout and on stderr. */
async function report({ meta, failure }: Told, reporters: unknown[] = [['default', {}]]) {
  const { path: root, cleanup } = await tempDir({ unsafeCleanup: true })
  const [out, err]: [string[], string[]] = [[], []]
  const test = {
    fullName: 'the web role',
    module: { moduleId: '/repo/web.test.ts', relativeModuleId: 'web.test.ts' },
    project: { name: '' },
    diagnostic: () => undefined,
    result: () => ({ state: failure ? 'failed' : 'passed', errors: failure ? [{ message: 'Oops' }] : [] }),
    meta: () => ({ raspi: meta }),
    artifacts: () => (failure ? [{ type: 'vitest-raspi:evidence', summary: failure }] : []),
  }
  const logger = { log: (text: string) => out.push(text), error: (text: string) => err.push(text) }
  const reporter = new RaspiReporter()
  reporter.onInit({ config: { reporters, root }, logger, projects: [] } as unknown as Vitest)
  await reporter.onTestRunEnd([{ children: { allTests: () => [test] } }] as unknown as TestModule[])
  await cleanup()
  return { out: stripVTControlCharacters(out.join('\n')), err: stripVTControlCharacters(err.join('\n')) }
}

/** A test file of one of three shards as `vitest --merge-reports` has it. */
function aShard(index: number, state = 'passed'): TestModule {
  const place = { id: `run-${index}`, root: '/elsewhere', shard: { index, count: 3 } }
  const spent = { environmentSetupDuration: 1, prepareDuration: 1, collectDuration: 1, setupDuration: 1 }
  return {
    ...{
      relativeModuleId: `${index}.test.ts`,
      moduleId: `/elsewhere/${index}.test.ts`,
      project: { name: '' },
    },
    ...{ children: { allTests: () => [] }, state: () => state, meta: () => ({ raspiRun: place }) },
    diagnostic: () => ({ ...spent, duration: 96 }),
  } as unknown as TestModule
}

async function close(modules: TestModule[], config: object, reason: TestRunEndReason = 'passed') {
  const root = scratchDir()
  for (const index of [1, 2, 3]) writeFileSync(join(root, `${index}.test.ts`), '')
  const err: string[] = []
  const logger = { log: () => {}, error: (text: string) => err.push(stripVTControlCharacters(text)) }
  const reporter = new RaspiReporter()
  const vite = { config: {} }
  const vitest = { config: { reporters: [], root, ...config }, vite, logger, projects: [] }
  reporter.onInit(vitest as unknown as Vitest)
  const before = process.exitCode
  await reporter.onTestRunEnd(modules, [], reason)
  const exitCode = process.exitCode
  process.exitCode = before
  const file = join(root, '.vitest/raspi/timings.json')
  return {
    err,
    exitCode,
    timings: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).files : undefined,
  }
}

test('a test file is told in which run it ran, except where reports are merged', () => {
  const told: { raspiRun?: unknown } = {}
  const module = { meta: () => told } as unknown as TestModule
  const tell = (config: object) => {
    const reporter = new RaspiReporter()
    reporter.onInit({ config: { root: '/repo', ...config } } as unknown as Vitest)
    reporter.onTestModuleEnd(module)
  }
  tell({ mergeReports: '.vitest/blob' })
  expect(told.raspiRun).toBeUndefined()
  tell({ shard: { index: 2, count: 3 }, mergeReportsLabel: 'linux' })
  expect(told.raspiRun).toEqual({
    ...{ id: expect.any(String), root: '/repo', shard: { index: 2, count: 3 }, label: 'linux' },
  })
})

test('merged reports of all shards are closed by their timings; of some of them the run fails', async () => {
  const merge = { mergeReports: '.vitest/blob' }
  expect(
    await close(
      [1, 2, 3].map((index) => aShard(index)),
      merge,
    ),
  ).toEqual({
    ...{ err: [], exitCode: undefined, timings: { '1.test.ts': 100, '2.test.ts': 100, '3.test.ts': 100 } },
  })
  const partly = await close([aShard(1), aShard(3, 'failed')], merge)
  expect(partly).toMatchObject({ exitCode: 1, timings: { '1.test.ts': 100, '3.test.ts': 100 } })
  expect(partly.err.join('\n')).toContain('The report of shard 2 of 3 is missing')
  expect((await close([aShard(1)], { ...merge, passWithNoTests: true })).exitCode).toBeUndefined()
})

test('no timings are kept of a shard, of tests chosen by name or tag, or of an interrupted run', async () => {
  const modules = [aShard(1)]
  for (const config of [{ shard: { index: 1, count: 3 } }, { testNamePattern: /x/ }, { tagsFilter: ['pi'] }])
    expect((await close(modules, config)).timings).toBeUndefined()
  expect((await close(modules, {}, 'interrupted')).timings).toBeUndefined()
  expect((await close(modules, {})).timings).toEqual({ '1.test.ts': 100 })
})

const meta = { pis: [aPi()], runs: [] }
const failure = { dir: '/evidence', consoles: [], tasks: [aFailureTask()] }

test('a run whose tests had no Pi is not mentioned', async () => {
  expect(await report({})).toEqual({ out: '', err: '' })
})

test('a run with Pis is closed by what they took', async () => {
  expect((await report({ meta })).out).toContain('1 thawed in 2.9 s')
})

test('where a program may read stdout, everything goes to stderr', async () => {
  for (const reporters of [
    [['junit', {}]],
    [
      ['dot', {}],
      ['json', {}],
    ],
  ]) {
    const { out, err } = await report({ meta }, reporters)
    expect(out).toBe('')
    expect(err).toContain('1 thawed in 2.9 s')
  }
})

test('a failed test is told with its evidence, and on GitHub Actions annotated once', async () => {
  vi.stubEnv('GITHUB_ACTIONS', '')
  expect((await report({ meta, failure })).out).toContain('Evidence: /evidence')
  expect((await report({ meta, failure })).out).not.toContain('::error')
  vi.stubEnv('GITHUB_ACTIONS', 'true')
  vi.stubEnv('GITHUB_WORKSPACE', '/repo')
  const twice = { ...failure, tasks: [aFailureTask(), aFailureTask()] }
  expect(
    (await report({ meta, failure: twice })).out.match(
      /^::error file=roles\/web\/tasks\/main\.yml,line=12,/gm,
    ),
  ).toHaveLength(1)
})
