import { expect, test } from 'vitest'
import { parseConfig } from '../../../src/ansible/config.ts'
import { mitogenEnvironment, modulesOf, pythonOf } from '../../../src/ansible/mitogen.ts'

test('Ansible tells which Python it runs on, and where its modules are', () => {
  const version =
    'ansible [core 2.14.18]\n  ansible python module location = /opt/my ansible/ansible\n  python version = 3.11.2 (main, Apr 28 2025) [GCC 12.2.0] (/usr/bin/python3)\n'
  expect(pythonOf(version)).toBe('/usr/bin/python3')
  expect(modulesOf(version)).toBe('/opt/my ansible')
  expect(modulesOf('ansible 2.9.27\n')).toBeUndefined()
  expect(pythonOf('ansible 2.9.27\n  python version = 3.9\n')).toBeUndefined()
})

test('a strategy that the user has chosen stays', async () => {
  const config = parseConfig('[{"name":"DEFAULT_STRATEGY","origin":"/repo/ansible.cfg","value":"free"}]')
  expect(await mitogenEnvironment('mitogen', '/nowhere/ansible-playbook', {}, config)).toEqual({})
})

test('where Ansible is not to be asked, the error says what to do', async () => {
  const config = parseConfig('[]')
  await expect(mitogenEnvironment('mitogen', '/nowhere/ansible-playbook', {}, config)).rejects.toThrow(
    /^Mitogen cannot be looked for: \/nowhere\/ansible does not tell its Python(.|\n)*leave out `accelerate`/,
  )
})

test('what is only wanted where it can be had is no error where it cannot', async () => {
  expect(await mitogenEnvironment('auto', '/nowhere/ansible-playbook', {}, parseConfig('[]'))).toEqual({})
  expect(await mitogenEnvironment(undefined, '/nowhere/ansible-playbook', {}, parseConfig('[]'))).toEqual({})
})
