import { expect, test } from 'vitest'
import {
  type ReadyPi,
  scriptInventory,
  sshConfig,
  staticInventory,
} from '../../../src/standing/ready-files.ts'

const pi = (name: string, port: number, given: Partial<ReadyPi> = {}): ReadyPi => ({
  ...{ name, groups: [], vars: {}, controlPath: `/run/${name}/ssh` },
  connection: {
    ...{ host: '127.0.0.1', port, user: 'pi', privateKeyFile: '/cache/key' },
    knownHostsFile: `/run/${name}/known_hosts`,
  },
  ...given,
})

test('the inventory has the groups and variables of the hosts, but our connection', () => {
  const vars = {
    ...{ ansible_host: '192.168.1.20', ansible_ssh_user: 'root', ansible_connection: 'local' },
    ...{ ansible_become: true, ansible_python_interpreter: '/opt/python', direction: 'north' },
  }
  const boreas = pi('boreas', 2222, { groups: ['cold'], vars })
  const { all } = staticInventory([boreas, pi('eurus', 2223)], { winds: ['cold'] }, '/run/cp')
  expect(all.children).toEqual({ winds: { children: { cold: {} } }, cold: { hosts: { boreas: {} } } })
  expect(Object.keys(all.hosts)).toEqual(['boreas', 'eurus'])
  expect(all.hosts.boreas).toMatchObject({
    ...{ ansible_host: '127.0.0.1', ansible_port: 2222, ansible_user: 'pi', ansible_become: true },
    ...{ ansible_python_interpreter: '/opt/python', direction: 'north' },
  })
  expect(all.hosts.boreas).not.toHaveProperty('ansible_connection')
  expect(all.hosts.boreas).not.toHaveProperty('ansible_ssh_user')
})

test('as a script it answers for several labs together', () => {
  const one = staticInventory([pi('boreas', 2222, { groups: ['cold'] })], { winds: ['cold'] }, '/cp')
  const other = staticInventory([pi('web', 2223, { groups: ['cold'] })], {}, '/cp')
  const { _meta, ...groups } = scriptInventory([one, other])
  expect(groups).toEqual({
    all: { hosts: ['boreas', 'web'], children: ['winds', 'cold'] },
    winds: { hosts: [], children: ['cold'] },
    cold: { hosts: ['boreas', 'web'] },
  })
  expect(_meta.hostvars.web).toMatchObject({ ansible_port: 2223, ansible_pipelining: true })
  expect(scriptInventory([])).toEqual({ all: { hosts: [] }, _meta: { hostvars: {} } })
})

test('the ssh configuration has a host for each Pi, and paths with blanks in one piece', () => {
  const text = sshConfig([pi('boreas', 2222, { controlPath: '/my pis/ssh' })])
  expect(text).toMatch(/^Host boreas\n {2}HostName 127\.0\.0\.1\n/)
  expect(text).toContain('\n  Port 2222\n')
  expect(text).toContain('\n  ControlPath "/my pis/ssh"\n')
})
