import { expect, test } from 'vitest'
import {
  assertNoBmc,
  besideAnsible,
  doorVariable,
  needing,
  needsVariable,
  programEnvironment,
  settingsOfAnsible,
} from '../../../src/ansible/elsewhere.ts'
import type { AnsibleEvent } from '../../../src/ansible/events.ts'

const here = { PATH: '/usr/bin' }
const elsewhere = { PATH: '/stand-ins:/usr/bin', [doorVariable]: '/run/door' }

test('what the user gives is over what there is, but for the PATH that leads elsewhere', () => {
  expect(programEnvironment(here, { PATH: '/venv/bin', A: 'b' })).toEqual({ PATH: '/venv/bin', A: 'b' })
  expect(programEnvironment(elsewhere, { PATH: '/venv/bin', A: 'b' })).toEqual({ ...elsewhere, A: 'b' })
})

test('what a program needs is told where it runs elsewhere', () => {
  expect(needing(here, { ports: [1] })).toEqual({})
  expect(needing(elsewhere, { ports: [1] })).toEqual({ [needsVariable]: '{"ports":[1]}' })
})

test('any command can be run where Ansible runs', () => {
  expect(besideAnsible(here, 'python3', ['-c', 'x'])).toEqual(['python3', ['-c', 'x']])
  expect(besideAnsible(elsewhere, 'python3', ['-c', 'x'])).toEqual([
    'vitest-raspi-control-node',
    ['python3', '-c', 'x'],
  ])
})

test('of the environment of this host Ansible has what is its own', () => {
  expect(settingsOfAnsible({ HOME: '/home/me', ANSIBLE_CONFIG: 'a.cfg' })).toEqual({
    ANSIBLE_CONFIG: 'a.cfg',
  })
})

const task = (action: string) => ({ event: 'task', action }) as AnsibleEvent

test('a task that would switch a BMC of a Pi is refused, and no other', () => {
  const targets = [{}, { vars: { raspi_bmc: { port: 623 } } }]
  for (const action of ['community.general.ipmi_power', 'ipmi_boot'])
    expect(() => assertNoBmc(task(action), targets)).toThrow(
      `${action} cannot reach the BMC of a Pi: Ansible runs in a container`,
    )
  assertNoBmc(task('ansible.builtin.ping'), targets)
  assertNoBmc(task('ipmi_power'), [{}])
})
