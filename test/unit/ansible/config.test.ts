import { expect, test } from 'vitest'
import { parseConfig } from '../../../src/ansible/config.ts'

const dump = JSON.stringify([
  { name: 'DEFAULT_LOCAL_TMP', origin: 'default', value: '/root/.ansible/tmp' },
  { name: 'INTERPRETER_PYTHON', origin: '/repo/ansible.cfg', value: '/usr/bin/python3' },
  { name: 'DEFAULT_TIMEOUT', origin: 'env: ANSIBLE_TIMEOUT', value: 5 },
  { BECOME_PLUGINS: [{ sudo: [{ name: 'become_user', origin: 'REQUIRED', value: null }] }] },
  {
    CONNECTION_PLUGINS: [
      { local: [{ name: 'pipelining', origin: 'default', value: false }] },
      { ssh: [{ name: 'pipelining', origin: '/repo/ansible.cfg', value: false }] },
    ],
  },
])

test('what ansible.cfg or the environment sets is told from defaults', () => {
  const config = parseConfig(dump)
  expect(['DEFAULT_LOCAL_TMP', 'INTERPRETER_PYTHON', 'DEFAULT_TIMEOUT', 'UNKNOWN'].map(config.isSet)).toEqual(
    [false, true, true, false],
  )
  expect(config.value('DEFAULT_TIMEOUT')).toBe(5)
})

test("the settings of the ssh plugin are its own, not another plugin's", () => {
  const config = parseConfig(dump)
  expect(config.isSet('ssh.pipelining')).toBe(true)
  expect(config.isSet('local.pipelining')).toBe(false)
})
