import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { coverageOf, coverFile, percentOf, shareOf } from '../../../../src/ansible/coverage/coverage.ts'
import { lcovOf } from '../../../../src/ansible/coverage/lcov.ts'
import { outlineOf } from '../../../../src/ansible/coverage/outline.ts'

const playbook = `- hosts: all
  tasks:
    - debug:
      when: a
    - when: b
      block:
        - debug:
          when: c
        - command: x
      rescue:
        - debug:
  handlers:
    - name: Restart, twice
      debug:
    - name: Restart, twice
      debug:
`

const outline = outlineOf(playbook)

test('a block’s condition held where one of its tasks ran, and did not where all were skipped', () => {
  if (!outline) throw new Error('no outline')
  const file = coverFile('site.yml', outline, { 3: [1, 1, 2], 7: [0, 0, 3], 9: [1, 1, 2], 13: [4, 4, 0] })
  expect(file.conditions).toEqual([
    { line: 3, taken: 1, skipped: 2 },
    { line: 5, taken: 1, skipped: 2 },
    { line: 7, taken: 0, skipped: 3 },
  ])
  expect(file.parts).toEqual([{ line: 10, kind: 'rescue', entered: 0 }])
  expect(shareOf('tasks', [file])).toEqual({ total: 4, covered: 2 })
  expect(shareOf('handlers', [file])).toEqual({ total: 2, covered: 1 })
  expect(shareOf('blocks', [file])).toEqual({ total: 1, covered: 0 })
  expect(shareOf('conditions', [file])).toEqual({ total: 6, covered: 5 })
  expect(lcovOf([file])).toBe(`TN:
SF:site.yml
FN:13,Restart, twice:13
FN:15,Restart, twice:15
FN:10,rescue:10
FNDA:4,Restart, twice:13
FNDA:0,Restart, twice:15
FNDA:0,rescue:10
FNF:3
FNH:1
BRDA:3,0,0,1
BRDA:3,0,1,2
BRDA:5,0,0,1
BRDA:5,0,1,2
BRDA:7,0,0,0
BRDA:7,0,1,3
BRF:6
BRH:5
DA:3,1
DA:7,0
DA:9,1
DA:11,0
DA:13,4
DA:15,0
LF:6
LH:3
end_of_record
`)
})

test('of nothing all is covered, and of nearly all not all', () => {
  expect(percentOf({ total: 0, covered: 0 })).toBe(100)
  expect(percentOf({ total: 3000, covered: 2999 })).toBe(99.9)
})

test('the files of a project are its playbooks and lists of tasks, and no others', () => {
  const dir = mkdtempSync(join(tmpdir(), 'raspi cover '))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const task = '- debug:\n'
  const files = {
    'site.yml': playbook,
    'data.yml': 'a: 1\n',
    'list.yml': task,
    'unknown-list.yml': task,
    'deploy.yml': '- hosts: all\n  tasks:\n    - import_tasks: part/one.yml\n',
    'part/one.yml': '- include_tasks: { file: ../part/two.yml }\n',
    'part/two.yml': task,
    'broken/tasks/main.yml': '- "\n',
    'roles/web/tasks/main.yml': task,
    'roles/web/tasks/sub/deep.yaml': task,
    'roles/web/handlers/main.yml': task,
    'roles/web/vars/main.yml': '- debug:\n',
    'roles/web/molecule/default/converge.yml': playbook,
    'node_modules/x/tasks/main.yml': task,
    '.cache/tasks/main.yml': task,
    'test/prepare.yml': playbook,
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  const covered = coverageOf(
    dir,
    { include: ['**/*.{yml,yaml}'], exclude: ['**/{molecule,test}/**'] },
    { 'list.yml': { 1: [1, 1, 0] } },
  )
  expect(covered.map(({ path }) => path)).toEqual([
    'list.yml',
    'part/one.yml',
    'part/two.yml',
    'roles/web/handlers/main.yml',
    'roles/web/tasks/main.yml',
    'roles/web/tasks/sub/deep.yaml',
    'site.yml',
  ])
  expect(covered.find(({ path }) => path === 'roles/web/handlers/main.yml')?.tasks[0]?.handler).toBe(true)
})
