import { expect, test } from 'vitest'
import { isThisMachine, limitOf, strangers, wasForHere } from '../../../src/ansible/limit.ts'

const own = {
  ...{ sources: [], groups: {}, hosts: ['web', 'db', 'here', 'far'] },
  vars: { here: { ansible_connection: 'local' } },
}
const target = (name: string) => ({
  name,
  ...{ host: '', port: 1, user: '', privateKeyFile: '', knownHostsFile: '' },
})

test('hosts without a Pi are strangers, unless they may work on this machine', () => {
  expect(strangers(own, [target('web')], [])).toEqual(['db', 'here', 'far'])
  expect(strangers(own, [target('web')], ['here'])).toEqual(['db', 'far'])
  expect(strangers(undefined, [target('web')], [])).toEqual([])
})

test('without strangers the limit is the user’s', () => {
  expect(limitOf(['web', '!db'], ['web'], [])).toEqual(['web', '!db'])
  expect(limitOf(undefined, ['web'], [])).toEqual([])
})

test('a limit with colons is none for Ansible once it has a comma, so it is split', () => {
  expect(limitOf('web:!db', ['web'], ['far'])).toEqual(['web', '!db', expect.stringMatching(/^&~/)])
  expect(limitOf(['web:!db', 'x'], ['web'], [])).toEqual(['web', '!db', 'x'])
})

test('strangers are out of reach whatever the limit says', () => {
  expect(limitOf(undefined, ['web', 'a.b'], ['far'])).toEqual(['web', 'a.b', 'localhost'])
  expect(limitOf('all', ['web', 'a.b'], ['far'])).toEqual(['all', '&~^(web|a\\.b|localhost)$'])
})

const listing = (name: string) => ({
  ...{ sources: [], groups: {}, hosts: ['web', name] },
  vars: { [name]: { ansible_connection: 'local' } },
})

test('a localhost that the inventory lists is out of reach as others are', () => {
  expect(limitOf(undefined, ['web'], ['localhost'])).toEqual(['web'])
  expect(limitOf('all', ['web'], ['127.0.0.1'])).toEqual(['all', '&~^(web)$'])
  expect(limitOf(undefined, ['web', 'localhost'], ['far'])).toEqual(['web', 'localhost'])
})

test('only Ansible’s own names for this machine are always about it', () => {
  expect(isThisMachine(listing('localhost'), 'localhost')).toBe(true)
  expect(isThisMachine(listing('here'), 'here')).toBe(false)
  expect(isThisMachine({ ...listing('localhost'), vars: {} }, 'localhost')).toBe(false)
})

test('a play for nothing but this machine is known where that is left out', () => {
  expect(wasForHere(listing('localhost'), 'localhost', ['localhost'])).toBe(true)
  expect(wasForHere(listing('127.0.0.1'), 'localhost', ['127.0.0.1'])).toBe(true)
  expect(wasForHere(listing('here'), 'here', ['here'])).toBe(true)
  expect(wasForHere(listing('here'), 'here,web', ['here'])).toBe(false)
  expect(wasForHere(listing('here'), 'localhost', ['here'])).toBe(false)
  expect(wasForHere(undefined, 'localhost', [])).toBe(false)
})
