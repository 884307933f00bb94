import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { gatherEvidence } from '../../src/report/evidence.ts'
import { Project } from '../support/project.ts'
import { aLentPi } from '../unit/report/samples.ts'

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

test('a Pi that does not answer takes less than 10 s', async () => {
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
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(Object.keys(files)).toEqual(['timeline.txt'])
  } finally {
    silent.close()
  }
})
