import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pageDataOf } from '../support/page-data.ts'
import { Project } from '../support/project.ts'

// Three test files with a Pi each: as one run, and as three shards that run at the same time and are merged.

const playbook = `- name: Mark
  hosts: all
  gather_facts: false
  tasks:
    - name: Leave a mark
      ansible.builtin.raw: touch mark
    - name: Is not wanted
      ansible.builtin.raw: rm mark
      when: false
`
const file = `import { expect, test } from 'vitest-raspi'
test('a playbook', async ({ pi, ansible }) => {
  expect(await ansible.playbook('site.yml')).toSucceed()
  expect(await pi.run('ls mark')).toMatchObject({ stdout: 'mark\\n' })
})
`
const files = { 'site.yml': playbook, 'a.test.ts': file, 'b.test.ts': file, 'c.test.ts': file }

test('three shards merged tell what one run tells', { timeout: 600_000 }, async () => {
  using whole = new Project({ files, options: 'coverage: true' })
  using sharded = new Project({ files, options: 'coverage: true' })
  const one = await whole.vitest(['--maxWorkers=1']).finished(300_000)
  expect(one.code, one.output).toBe(0)
  const shards = ['1/3', '2/3', '3/3'].map((shard) =>
    sharded.vitest([`--shard=${shard}`, '--reporter=blob', '--reporter=default']).finished(300_000),
  )
  for (const { code, output } of await Promise.all(shards)) expect(code, output).toBe(0)
  const merged = await sharded.vitest(['--merge-reports']).finished(60_000)
  expect(merged.code, merged.output).toBe(0)

  for (const output of [one.output, merged.output]) {
    expect(output).toMatch(/Pis +3 thawed/)
    expect(output).toMatch(/Playbooks +3 runs in .*, 3 tasks, 3 changed/)
    expect(output).toMatch(/Tests +3 passed/)
  }
  const left = ({ dir }: Project, name: string) => readFileSync(join(dir, '.vitest/raspi', name), 'utf8')
  expect(left(sharded, 'coverage/lcov.info')).toBe(left(whole, 'coverage/lcov.info'))
  const [mine, theirs] = [whole, sharded].map((project) => pageDataOf(left(project, 'index.html')))
  for (const data of [mine, theirs]) {
    expect(data?.pis).toHaveLength(3)
    expect(data?.tests.map(({ name, state, runs }) => [name, state, runs.length])).toEqual(
      Array(3).fill(['a playbook', 'passed', 1]),
    )
  }
  expect(theirs?.tasks).toEqual(mine?.tasks)
  expect(theirs?.pis.map(({ shard }) => shard).sort()).toEqual(['1/3', '2/3', '3/3'])
  const times: Record<string, number> = JSON.parse(left(sharded, 'timings.json')).files
  expect(Object.keys(times)).toEqual(['a.test.ts', 'b.test.ts', 'c.test.ts'])
  // The files' times are those of their tests, and of what it takes to come to these.
  const sum = Object.values(times).reduce((total, ms) => total + ms, 0)
  const ofTests = theirs?.tests.reduce((total, { durationMs }) => total + durationMs, 0) ?? 0
  expect(sum).toBeGreaterThanOrEqual(Math.floor(ofTests) - 3)
  expect(sum).toBeLessThan(ofTests + 60_000)
})
