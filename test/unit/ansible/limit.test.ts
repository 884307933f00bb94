import { expect, test } from 'vitest'
import { limitOf, strangers } from '../../../src/ansible/limit.ts'

const own = {
  ...{ sources: [], groups: {}, hosts: ['web', 'db', 'here', 'far'] },
  vars: { here: { ansible_connection: 'local' } },
}
const target = (name: string) => ({
  name,
  ...{ host: '', port: 1, user: '', privateKeyFile: '', knownHostsFile: '' },
})

test('hosts without a Pi are strangers, unless they are this machine', () => {
  expect(strangers(own, [target('web')], [])).toEqual(['db', 'far'])
  expect(strangers(own, [target('web')], ['db'])).toEqual(['far'])
  expect(strangers(undefined, [target('web')], [])).toEqual([])
})

test('without strangers the limit is the user’s', () => {
  expect(limitOf(['web', '!db'], ['web'], [])).toEqual(['web', '!db'])
  expect(limitOf(undefined, ['web'], [])).toEqual([])
})

test('strangers are out of reach whatever the limit says', () => {
  expect(limitOf(undefined, ['web', 'a.b'], ['far'])).toEqual(['web', 'a.b', 'localhost'])
  expect(limitOf('all', ['web', 'a.b'], ['far'])).toEqual(['all', '&~^(web|a\\.b|localhost)$'])
})
