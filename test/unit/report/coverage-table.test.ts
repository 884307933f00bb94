import { expect, test } from 'vitest'
import type { FileCoverage } from '../../../src/ansible/coverage/coverage.ts'
import { coverageTable, missedThresholds } from '../../../src/report/coverage-table.ts'

const task = (line: number, ran: number, handler = false) => ({ line, name: 'x', handler, ran })
const file = (path: string, data: Partial<FileCoverage> = {}): FileCoverage => {
  return { path, tasks: [], parts: [], conditions: [], ...data }
}

const files = [
  file('roles/web/tasks/main.yml', {
    tasks: [task(1, 2), task(4, 0), task(7, 0), task(9, 1), task(12, 0)],
    parts: [{ line: 11, kind: 'rescue', entered: 0 }],
    conditions: [{ line: 1, taken: 2, skipped: 0 }],
  }),
  file('roles/web/handlers/main.yml', { tasks: [task(1, 1, true)] }),
  file('site.yml', { tasks: [task(3, 1)] }),
]

test('the table names the files that are not covered wholly, with the lines that did not run', () => {
  expect(coverageTable(files).join('\n')).toMatchInlineSnapshot(`
    "Playbooks                 | Tasks | Handlers | Blocks | Conditions | Not run
    --------------------------|-------|----------|--------|------------|--------
    All files                 |  50 % |    100 % |    0 % |       50 % |
     roles/web/tasks/main.yml |  40 % |        - |    0 % |       50 % | 4-7, 12
     2 other files            |       |          |        |            |"
  `)
})

test('a threshold that is missed is told, one that is met is not', () => {
  expect(missedThresholds(files, { tasks: 50, handlers: 100, conditions: 50.1 })).toEqual([
    'The coverage of conditions is 50 %, below the threshold of 50.1 %.',
  ])
})
