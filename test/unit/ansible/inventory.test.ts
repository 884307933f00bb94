import { expect, test } from 'vitest'
import type { AnsibleConfig } from '../../../src/ansible/config.ts'
import { connectionTo, connectionVars, inventoryOf } from '../../../src/ansible/inventory.ts'

const pi = {
  name: 'pi',
  host: '127.0.0.1',
  port: 2222,
  user: 'pi',
  privateKeyFile: '/run dir/key',
  knownHostsFile: '/run dir/known_hosts',
}
const config = (...set: string[]): AnsibleConfig => ({
  value: () => undefined,
  isSet: (name) => set.includes(name),
})

test('a target is a host with its connection, strict about host keys', () => {
  const { ansible_ssh_common_args: args, ...vars } = connectionVars(
    { ...pi, controlPath: '/run/pi' },
    '/run/cp',
  )
  expect(vars).toEqual({
    ansible_host: '127.0.0.1',
    ansible_port: 2222,
    ansible_user: 'pi',
    ansible_ssh_private_key_file: '/run dir/key',
    ansible_control_path_dir: '/run/cp',
    ansible_control_path: '/run/pi',
    ansible_ssh_args: '-o ControlMaster=auto -o ControlPersist=60s',
    ...{ ansible_ssh_extra_args: '', ansible_scp_extra_args: '', ansible_sftp_extra_args: '' },
  })
  expect(args).toContain('-o StrictHostKeyChecking=yes')
  expect(args).toContain(`-o 'UserKnownHostsFile="/run dir/known_hosts"'`)
})

test('targets without an open connection share none, whatever path a configuration has for all', () => {
  const paths = ['boreas', 'zephyrus'].map(
    (name) => connectionVars({ ...pi, name }, '/run/cp').ansible_control_path,
  )
  expect(paths).toEqual(Array(2).fill(expect.stringMatching(/^%\(directory\)s\/[0-9a-f]{10}$/)))
  expect(new Set(paths).size).toBe(2)
})

test('a percent sign in a path is no token of ssh', () => {
  expect(connectionVars({ ...pi, knownHostsFile: '/50%/k' }, '/cp').ansible_ssh_common_args).toContain(
    '"/50%%/k"',
  )
})

test('targets are in their groups', () => {
  const { all } = inventoryOf(
    [
      { ...pi, groups: ['web'] },
      { ...pi, name: 'pi2', groups: ['web', 'db'] },
    ],
    config(),
    '/cp',
  )
  expect(all.children).toEqual({ web: { hosts: { pi: {}, pi2: {} } }, db: { hosts: { pi2: {} } } })
  expect(Object.keys(all.hosts)).toEqual(['pi', 'pi2'])
})

test("a target's own variables are beside its connection", () => {
  const { all } = inventoryOf([{ ...pi, vars: { answer: 42 } }], config(), '/cp')
  expect(all.hosts.pi).toMatchObject({ ansible_port: 2222, answer: 42 })
})

test('what is set for all hosts does not beat what the user has set for all', () => {
  const own = {
    ...{ sources: ['/repo/hosts'], hosts: ['pi'], groups: {} },
    vars: { pi: { ansible_python_interpreter: '/opt/python' } },
  }
  const { vars } = inventoryOf([pi], config(), '/cp', own).all
  expect(vars).not.toHaveProperty('ansible_python_interpreter')
  expect(vars).toHaveProperty('ansible_pipelining', true)
  const two = { ...own, hosts: ['pi', 'pi2'], vars: { ...own.vars, pi2: {} } }
  expect(inventoryOf([pi, { ...pi, name: 'pi2' }], config(), '/cp', two).all.vars).toHaveProperty(
    'ansible_python_interpreter',
    '/usr/bin/python3',
  )
})

test('a target that is reached in another way on purpose is left to it', () => {
  expect(connectionTo(pi, '/cp')).toMatchObject({ sshOnly: true, ifSet: { ansible_connection: 'ssh' } })
  const local = connectionTo({ ...pi, vars: { ansible_connection: 'local' } }, '/cp')
  expect(local).toMatchObject({ sshOnly: false })
  expect(local.ifSet).not.toHaveProperty('ansible_connection')
})

test('pipelining is on unless the user has an opinion', () => {
  expect(inventoryOf([pi], config(), '/cp').all.vars).toHaveProperty('ansible_pipelining', true)
  expect(inventoryOf([pi], config('ssh.pipelining'), '/cp').all.vars).not.toHaveProperty('ansible_pipelining')
  expect(inventoryOf([pi], config('ANSIBLE_PIPELINING'), '/cp').all.vars).not.toHaveProperty(
    'ansible_pipelining',
  )
})
