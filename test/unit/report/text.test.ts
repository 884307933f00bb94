import { expect, test } from 'vitest'
import { cutText, diffLines, diffOf, firstLine, lastLines } from '../../../src/report/text.ts'

test('a long text keeps its beginning and more of its end', () => {
  expect(cutText('abcdefgh', 8)).toBe('abcdefgh')
  expect(cutText('abcdefghijkl', 8)).toBe('ab\n… 4 characters left out …\nghijkl')
})

test('the last lines are cut where they are long', () => {
  expect(lastLines(`a\nb\n${'c'.repeat(300)}\n`, 2)).toEqual(['b', `${'c'.repeat(200)}…`])
  expect(lastLines('a\n\nb', 2, 1)).toEqual(['', 'b'])
})

test('a diff shows what differs, with three lines around it', () => {
  const before = 'a\nb\nc\nd\ne\n'
  expect(diffLines([{ before, after: before.replace('e', 'E'), before_header: '/etc/motd' }])).toEqual([
    ...['--- /etc/motd', '+++ after', ' b', ' c', ' d', '-e', '+E'],
  ])
})

test('a diff names the file, not where Ansible had its new text for a while', () => {
  const texts = { before: 'a\n', after: 'b\n', before_header: '/etc/motd' }
  const headers = (after_header: string) => diffLines([{ ...texts, after_header }]).slice(0, 2)
  expect(headers('/tmp/r/tmp/ansible-local-13599iy42w5kv/tmpf_3ojjlr')).toEqual([
    '--- /etc/motd',
    '+++ /etc/motd',
  ])
  expect(headers('/repo/templates/motd.j2')).toEqual(['--- /etc/motd', '+++ /repo/templates/motd.j2'])
})

test('a diff that a module made stays, one of objects is compared as JSON, an empty one is none', () => {
  expect(diffLines([{ prepared: '-a\n+b\n' }])).toEqual(['-a', '+b'])
  const objects = { before: { mode: '0644' }, after: { mode: '0600' } } as never
  expect(diffLines([objects])).toContain('+  "mode": "0600"')
  expect(diffLines([{ before: 'a', after: 'a' }, {}])).toEqual([])
})

test('a task’s diff has those of its items', () => {
  const item = { diff: [{ prepared: '+b' }] } as never
  expect(diffOf({ diff: [{ prepared: '+a' }], items: [item] })).toEqual(['+a', '+b'])
})

test('an error’s first line has no hint', () => {
  expect(firstLine(new Error('It broke.\n  Mend it.'))).toBe('It broke.')
})
