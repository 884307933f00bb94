import { stripVTControlCharacters } from 'node:util'
import { dir as tempDir } from 'tmp-promise'
import { afterEach, expect, test, vi } from 'vitest'
import type { TestModule, Vitest } from 'vitest/node'
import type { FailureSummary, RaspiMeta } from '../../../src/report/meta.ts'
import { RaspiReporter } from '../../../src/reporter.ts'
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
