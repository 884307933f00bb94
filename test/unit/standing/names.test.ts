import { expect, test } from 'vitest'
import { checkName, freeNames, hostnameOf } from '../../../src/standing/names.ts'

test('the winds come first, then numbers, and what is taken is left out', () => {
  expect(freeNames(6)).toEqual(['boreas', 'zephyrus', 'notus', 'eurus', 'pi-5', 'pi-6'])
  expect(freeNames(3, ['boreas', 'notus', 'pi-5'])).toEqual(['zephyrus', 'eurus', 'pi-6'])
})

test.for(['boreas', 'pi-5', '4', 'a'.repeat(63)])('%s can be a name', (name) => {
  expect(() => checkName(name)).not.toThrow()
})

test.for([
  ['Web_1', ': web-1, for example.'],
  ['-pi', ': pi, for example.'],
  ['a b; reboot', ': a-b-reboot, for example.'],
  ['a'.repeat(64), `: ${'a'.repeat(63)}, for example.`],
  ['…', ' with no hyphen at its ends.'],
])('%s cannot, and what would do is said', ([name, hint]) => {
  expect(() => checkName(name as string)).toThrow(
    expect.objectContaining({ kind: 'options', message: expect.stringContaining(hint as string) }),
  )
})

test('the hostname of a host is what of its name a hostname may hold', () => {
  expect(hostnameOf('Web_1.example.com')).toBe('web-1-example-com')
  expect(hostnameOf('192.168.1.20')).toBe('192-168-1-20')
})
