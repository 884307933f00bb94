import { expect, test } from 'vitest'
import { marksOf } from '../../../../src/report/page/marks.ts'

const text = `- name: First
  ansible.builtin.command: ls

- name: A block
  block:
    - name: Inner
      ansible.builtin.ping:

    - name: Last
      ansible.builtin.ping:
  when: true
`

test('a task goes on to its last line, and is marked by the worst that became of it', () => {
  const marks = marksOf(text, [
    { line: 9, status: 'skipped' },
    { line: 1, status: 'ok' },
    { line: 6, status: 'ok' },
    { line: 1, status: 'changed' },
    { line: 1, status: 'ok' },
    { line: 6, status: 'failed' },
  ])
  expect(marks).toEqual([
    { line: 1, end: 2, status: 'changed', counts: { ok: 2, changed: 1 } },
    { line: 6, end: 7, status: 'failed', counts: { ok: 1, failed: 1 } },
    { line: 9, end: 10, status: 'skipped', counts: { skipped: 1 } },
  ])
})

test('a line that is not there any more is marked all the same', () => {
  expect(marksOf('- a\n', [{ line: 9, status: 'ok' }])).toMatchObject([{ line: 9, end: 9 }])
})

test('a task that is known to be there and did not run is marked as missed', () => {
  expect(marksOf(text, [{ line: 1, status: 'ok' }], [1, 6])).toEqual([
    { line: 1, end: 2, status: 'ok', counts: { ok: 1 } },
    { line: 6, end: 7, status: 'missed', counts: {} },
  ])
})
