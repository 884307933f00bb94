import { expect, test } from 'vitest'
import { partsOf } from '../../../src/ansible/pattern.ts'

test.for([
  ['web', ['web']],
  ['web:&site:!db', ['web', '&site', '!db']],
  [' web , !db ', ['web', '!db']],
  ['web:db,x', ['web:db', 'x']],
  ['web[0:2]:db', ['web[0:2]', 'db']],
  ['~web.*:!db', ['~web.*', '!db']],
  ['~(?:web|db)', ['~(?:web|db)']],
  ['!fe80::1', ['!fe80::1']],
  [
    ['web:!db', 'x'],
    ['web', '!db', 'x'],
  ],
  ['', []],
] as const)('%s is split as Ansible does', ([pattern, parts]) => {
  expect(partsOf(pattern)).toEqual(parts)
})
