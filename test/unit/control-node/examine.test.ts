import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { examine } from '../../../src/control-node/examine.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { type FakeResult, fakeContainer } from './fake-container.ts'

const version = 'ansible-playbook [core 2.19.4]\n  config file = None\n'

/** What is found in a container where the program that names the user, and that which looks, come to this. */
function look(named: FakeResult, looked: FakeResult | object) {
  const users: (string | undefined)[] = []
  const found = 'lacks' in looked ? { stdout: JSON.stringify(looked) } : (looked as FakeResult)
  const container = fakeContainer((_, _input, user) => (users.push(user) === 1 ? named : found))
  const examined = examine(
    container,
    'mine',
    { uid: 1000, gid: 100, home: '/tmp/h' },
    { token: '/t', mark: '/m', roots: ['/repo'] },
  )
  return { users, examined }
}

test('root names the user, who then finds Ansible and the directories of this host', async () => {
  const { users, examined } = look({}, { lacks: [], shared: true, unreadable: [], version })
  expect(await examined).toEqual({ ansible: '2.19.4', shared: true })
  expect(users).toEqual(['0:0', '1000:100'])
})

test.for<[why: string, named: FakeResult, looked: object]>([
  ['it has no python3', { exitCode: 127, stdout: 'OCI runtime exec failed' }, {}],
  [
    'it has no ansible-playbook, no ssh',
    {},
    { lacks: ['ansible-playbook', 'ssh'], shared: true, unreadable: [], version: '' },
  ],
  [
    'its ansible-core is 2.13.1, and too old',
    {},
    { lacks: [], shared: true, unreadable: [], version: version.replace('2.19.4', '2.13.1') },
  ],
  [
    "its ansible-playbook tells no version: ModuleNotFoundError: No module named 'ansible'",
    {},
    {
      lacks: [],
      shared: true,
      unreadable: [],
      version: "Traceback\nModuleNotFoundError: No module named 'ansible'\n",
    },
  ],
  ['PermissionError: no', {}, { exitCode: 1, stderr: 'Traceback\nPermissionError: no\n' }],
  ['it does not answer', {}, { exitCode: 137 }],
])('an image does not serve where %s', async ([why, named, looked]) => {
  await expect(look(named, looked).examined).rejects.toThrow(
    `Ansible cannot run in a container of mine: ${why}.\n  It needs ansible-core from version 2.14 on, python3 and OpenSSH's client.`,
  )
})

test('what is there, but may not be read there, is named', async () => {
  const looked = { lacks: [], shared: true, unreadable: ['/repo'], version }
  expect(await look({}, looked).examined).toEqual({ ansible: '2.19.4', shared: true, unreadable: '/repo' })
})

test('what looks sees what cannot be read', async () => {
  const dir = scratchDir()
  for (const name of ['ansible-playbook', 'ssh'])
    writeFileSync(join(dir, name), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 })
  writeFileSync(join(dir, 'token'), 'a token')
  const container = fakeContainer(([program = '', ...args], _, user) => {
    if (user === '0:0') return {}
    const env = { ...process.env, PATH: `${dir}:${process.env.PATH}` }
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env })
    return { exitCode: status ?? 1, stdout, stderr }
  })
  const files = { token: join(dir, 'token'), mark: join(dir, 'mark') }
  const looking = (...roots: string[]) =>
    examine(container, 'mine', { uid: 1000, gid: 100, home: join(dir, 'home') }, { ...files, roots })
  expect(await looking(dir, files.token)).toEqual({ ansible: '2.19.4', shared: true })
  // Root may read everything that is there.
  expect(await looking(dir, join(dir, 'none'))).toMatchObject({ unreadable: join(dir, 'none') })
})
