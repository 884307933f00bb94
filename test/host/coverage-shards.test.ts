import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fixtures } from '../support/local-ansible.ts'
import { Project } from '../support/project.ts'

// Coverage through the whole of Vitest, without a Pi: the tests tell what they ran as the fixtures would.

const told = (line: number) => `import { test } from 'vitest'
test('runs', ({ task }) => {
  task.meta.raspi = { pis: [], runs: [], covered: { 'site.yml': { ${line}: [1, 1, 0] } } }
})
`

test('shards tell their part and ask no threshold; merged, all counts', { timeout: 300_000 }, async () => {
  using project = new Project({
    options: 'coverage: { exclude: ["roles/**"], thresholds: { tasks: 13 } }',
    files: { 'one.test.ts': told(8), 'two.test.ts': told(10) },
  })
  cpSync(join(fixtures, 'covered'), project.dir, { recursive: true })
  const [one, two] = ['1/2', '2/2'].map((shard) =>
    project.vitest([`--shard=${shard}`, '--reporter=blob', '--reporter=default']),
  )
  for (const run of [one, two]) {
    const { code, output } = (await run?.finished(120_000)) ?? {}
    expect(output).toContain('All files           | 6.2 %')
    expect(code).toBe(0)
  }
  const merged = await project.vitest(['--merge-reports']).finished(120_000)
  expect(merged.output).toContain('The coverage of tasks is 12.5 %, below the threshold of 13 %.')
  expect(merged.code).toBe(1)
  const lcov = readFileSync(join(project.dir, '.vitest/raspi/coverage/lcov.info'), 'utf8')
  expect(lcov.match(/^DA:\d+,1$/gm)).toEqual(['DA:8,1', 'DA:10,1'])
})
