import { expect, test } from 'vitest'
import { reasonToMake } from '../../../src/prepare/reason.ts'

const last = {
  ansible: '2.14.18',
  environment: 'e',
  parents: ['p'],
  inputs: { 'prepare.yml': '1', 'odd/': '1' },
}

test('a layer that was never made', () => {
  expect(reasonToMake(undefined, last, undefined)).toBe(
    'made for the first time with these hosts and options',
  )
})

test('a layer that is gone', () => {
  expect(reasonToMake(last, last, undefined)).toBe('made again, because it is not in the cache any more')
})

test('a layer that is damaged', () => {
  expect(reasonToMake(last, last, 'ram has 1 bytes and not 2')).toBe(
    'made again, because the one in the cache is damaged: ram has 1 bytes and not 2',
  )
})

test.for([
  [{ inputs: { ...last.inputs, 'prepare.yml': '2' } }, 'prepare.yml changed'],
  [{ inputs: { ...last.inputs, 'roles/a/tasks/main.yml': '1' } }, 'roles/a/tasks/main.yml is new'],
  [{ inputs: { 'odd/': '1' } }, 'prepare.yml is gone'],
  [{ inputs: { ...last.inputs, 'odd/': '2' } }, 'there is something else in odd/'],
  [{ ansible: '2.19.4' }, 'ansible-core is 2.19.4 and no longer 2.14.18'],
  [{ environment: 'f' }, 'an ANSIBLE_… variable of the environment changed'],
  [{ parents: ['q'] }, 'the Pi that it starts from is another one'],
  [
    { ansible: '2.19.4', parents: ['q'] },
    'the Pi that it starts from is another one, and ansible-core is 2.19.4 and no longer 2.14.18',
  ],
  [
    { inputs: { a: '1', b: '1', c: '1', 'prepare.yml': '2', 'odd/': '1' } },
    'a is new, and b is new, and c is new, and 1 more',
  ],
] as const)('a layer for which something has changed: %j', ([change, why]) => {
  expect(reasonToMake(last, { ...last, ...change } as typeof last, undefined)).toBe(
    `made again, because ${why}`,
  )
})
