import { expect, test } from 'vitest'
import { annotation } from '../../../src/report/annotations.ts'
import { aFailureTask } from './samples.ts'

test('an annotation points at the line of the playbook, relative to the repository', () => {
  expect(annotation(aFailureTask(), 'web.test.ts > the web role', '/repo')).toBe(
    '::error file=roles/web/tasks/main.yml,line=12,title=web.test.ts > the web role::TASK [web : Install nginx] failed on pi after 3.1 s: No package',
  )
})

test('what GitHub would read as its own syntax is escaped', () => {
  const task = aFailureTask({ message: '100 %\nof it', diff: ['-\u001b[31ma\u001b[39m'] })
  expect(annotation(task, 'a: b, c', '/repo')).toContain('title=a%3A b%2C c::')
  expect(annotation(task, 'a', '/repo')?.split('after 3.1 s: ')[1]).toBe('100 %25%0Aof it%0A-a')
})

test('a file outside of the repository keeps its path', () => {
  expect(annotation(aFailureTask({ path: '/roles/x.yml' }), 'a', '/repo')).toContain('file=/roles/x.yml,')
})

test('a task without a known line has no annotation', () => {
  const { line, ...task } = aFailureTask()
  expect(annotation(task, 'a', '/repo')).toBeUndefined()
})

test('a task at work and one that changed something say so', () => {
  expect(annotation(aFailureTask({ what: 'at work', message: '' }), 'a', '/repo')).toMatch(
    /still at work after 3.1 s$/,
  )
  expect(annotation(aFailureTask({ what: 'changed', message: '' }), 'a', '/repo')).toMatch(
    /changed something on pi$/,
  )
})
