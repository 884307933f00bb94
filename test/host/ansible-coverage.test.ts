import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { coverageOf, shareOf } from '../../src/ansible/coverage/coverage.ts'
import { hitsOf } from '../../src/ansible/coverage/hits.ts'
import { lcovOf } from '../../src/ansible/coverage/lcov.ts'
import { fixtures, target, test } from '../support/local-ansible.ts'

// What ansible-playbook on this host covers of a playbook whose answers are known.

test('the counts are right, and a viewer of lcov finds the same', async ({ ansible, dir, skip }) => {
  const run = await ansible('covered', { targets: [target('one'), target('two')] }).playbook('site.yml')
  expect(run.ok).toBe(true)
  const project = join(fixtures, 'covered')
  const files = coverageOf(project, { include: ['**/*.yml'], exclude: [] }, hitsOf([run]))
  const ran = files.map(({ path, tasks }) => [
    path,
    Object.fromEntries(tasks.map((task) => [task.line, task.ran])),
  ])
  expect(Object.fromEntries(ran)).toEqual({
    'site.yml': {
      ...{ 8: 2, 10: 1, 13: 2, 21: 2, 23: 0, 26: 2, 29: 2, 34: 2, 36: 0, 41: 0, 43: 0, 47: 2, 48: 0, 52: 0 },
    },
    'more.yml': { 2: 2 },
    'roles/web/handlers/main.yml': { 1: 2 },
    'roles/web/tasks/main.yml': { 1: 2, 5: 2 },
    'tasks/included.yml': { 1: 2 },
    'tasks/orphan.yml': { 1: 0 },
  })
  const site = files.find(({ path }) => path === 'site.yml')
  expect(site?.conditions).toEqual([
    { line: 10, taken: 1, skipped: 1 },
    { line: 13, taken: 4, skipped: 2 },
    { line: 31, taken: 2, skipped: 0 },
    { line: 38, taken: 0, skipped: 2 },
  ])
  expect(site?.parts).toEqual([
    { line: 25, kind: 'rescue', entered: 2 },
    { line: 28, kind: 'always', entered: 2 },
    { line: 35, kind: 'rescue', entered: 0 },
  ])
  expect(shareOf('tasks', files)).toEqual({ total: 18, covered: 12 })

  const tracefile = join(dir, 'lcov.info')
  writeFileSync(tracefile, lcovOf(files))
  const args = ['--branch-coverage', '--output-directory', join(dir, 'html'), tracefile]
  const genhtml = spawnSync('genhtml', args, { cwd: project, encoding: 'utf8' })
  if (genhtml.error)
    skip('genhtml is not installed (apt install lcov): the tracefile was not opened in a viewer')
  expect(genhtml.stderr).toBe('')
  expect(genhtml.stdout).toContain('(13 of 20 lines)')
  expect(genhtml.stdout).toContain('(3 of 5 functions)')
  expect(genhtml.stdout).toContain('(6 of 8 branches)')
  const [page = ''] = globSync(join(dir, 'html', '**', 'site.yml.gcov.html'))
  expect(readFileSync(page, 'utf8')).toContain('Runs for two of three items')
})
