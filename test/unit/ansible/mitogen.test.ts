import { expect, test } from 'vitest'
import { parseConfig } from '../../../src/ansible/config.ts'
import { mitogenEnvironment, pythonOf } from '../../../src/ansible/mitogen.ts'

test('Ansible tells which Python it runs on', () => {
  const version =
    'ansible [core 2.14.18]\n  python version = 3.11.2 (main, Apr 28 2025) [GCC 12.2.0] (/usr/bin/python3)\n'
  expect(pythonOf(version)).toBe('/usr/bin/python3')
  expect(pythonOf('ansible 2.9.27\n  python version = 3.9\n')).toBeUndefined()
})

test('a strategy that the user has chosen stays', async () => {
  const config = parseConfig('[{"name":"DEFAULT_STRATEGY","origin":"/repo/ansible.cfg","value":"free"}]')
  expect(await mitogenEnvironment('/nowhere/ansible-playbook', {}, config)).toEqual({})
})

test('where Ansible is not to be asked, the error says what to do', async () => {
  await expect(mitogenEnvironment('/nowhere/ansible-playbook', {}, parseConfig('[]'))).rejects.toThrow(
    /^Mitogen cannot be looked for: \/nowhere\/ansible does not tell its Python(.|\n)*leave out `accelerate`/,
  )
})
