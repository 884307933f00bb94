import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import type { PrepareStep } from '../../src/lab/protocol.ts'
import { makeLayers } from '../../src/prepare/make-layers.ts'
import type { Layer } from '../../src/prepare/prepare.ts'
import { AnsibleProject, here } from '../support/ansible-project.ts'

// The playbook of a layer by the real Ansible, with this host in the place of a Pi. Nothing is frozen.

/** Prepares this host by `step`, and throws what that has read where it comes to the freezing. */
function prepare(project: AnsibleProject, step: PrepareStep): Promise<unknown> {
  const { name: _, vars: __, ...connection } = here('pi')
  const pi = {
    connection,
    controlPath: join(project.root, 'none'),
    handOver() {},
    machine: { whenLost() {} },
  }
  const layer = {
    step,
    hosts: [{ name: 'pi' }],
    paths: { roles: [join(project.root, 'galaxy')], collections: [] },
    parents: [{}],
    preparer: { projectDir: project.dir, timeoutMs: 60_000, describeFailure: () => '' },
    context: {
      ...{ machineDir: project.runDir, cacheDir: join(project.root, 'cache'), programEnv: process.env },
      ...{ signal: new AbortController().signal, log() {} },
      ...{ room: async () => () => {}, start: async () => pi, end: async () => {} },
    },
  } as unknown as Layer
  return makeLayers(layer, { places: { dirs: [], files: [] }, since: 0 }, async ({ names, unsure }) => {
    throw new Error(`read ${[...names, ...unsure].join(' ')}`)
  })
}

test('a preparation opens vaults and finds roles as the runs of tests do', { timeout: 120_000 }, async () => {
  using project = new AnsibleProject({
    'pass.txt': 'open sesame\n',
    'prepare.yml':
      '- hosts: all\n  connection: local\n  gather_facts: false\n  roles: [motd]\n  vars: { ansible_become: false }\n',
    '../galaxy/motd/tasks/main.yml': '- ansible.builtin.assert: { that: plain == "one" }\n',
  })
  const sealing = ['encrypt_string', '--vault-password-file=pass.txt', '--name', 'plain', 'one']
  const { stdout } = await execa('ansible-vault', sealing, { cwd: project.dir })
  project.write({ 'group_vars/all.yml': `${stdout}\n` })
  const seen = prepare(project, { playbook: 'prepare.yml', vaultPasswordFile: 'pass.txt' })
  const { message } = await seen.then(
    () => new Error('made'),
    (error: Error) => error,
  )
  expect(message).toMatch(/^read .*prepare\.yml/)
  expect(message).not.toContain('motd')
})

test('a preparation whose tags leave no task is an error', { timeout: 120_000 }, async () => {
  using project = new AnsibleProject({
    'prepare.yml':
      '- hosts: all\n  connection: local\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n      tags: base\n',
  })
  await expect(prepare(project, { playbook: 'prepare.yml', tags: 'bsae' })).rejects.toThrow(
    /^prepare\.yml prepares nothing: no task has the tag bsae\n.*Tags there are: base\.$/,
  )
})
