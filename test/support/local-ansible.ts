import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test as base, expect } from 'vitest'
import { Ansible, type AnsibleContext } from '../../src/ansible/ansible.ts'
import type { AnsibleTarget } from '../../src/ansible/inventory.ts'

/** The directory of the projects that {@link test} runs playbooks of. */
export const fixtures = fileURLToPath(new URL('../fixtures/ansible', import.meta.url))

/** This host, as if it were a Pi of this name. */
export function target(
  name: string,
  vars: Record<string, unknown> = { ansible_connection: 'local' },
): AnsibleTarget {
  const nowhere = { host: '127.0.0.1', port: 1, privateKeyFile: '/dev/null', knownHostsFile: '/dev/null' }
  return { name, user: 'pi', ...nowhere, vars }
}

/** A test with the real ansible-playbook, in a project of the fixtures or at an absolute path, and a directory of its own. */
export const test = base.extend<{
  dir: string
  ansible: (project: string, context?: Partial<AnsibleContext>) => Ansible
}>({
  dir: async ({}, use) => {
    const dir = mkdtempSync(join(tmpdir(), 'raspi ansible '))
    await use(dir)
    rmSync(dir, { recursive: true })
  },
  ansible: async ({ dir }, use) => {
    const runDir = mkdtempSync(join(dir, 'run-'))
    await use((project, context = {}) => {
      const projectDir = resolve(fixtures, project)
      return new Ansible({
        projectDir,
        runDir,
        targets: [target('pi')],
        timeoutMs: 240_000,
        log: () => {},
        ...context,
      })
    })
    expect(readdirSync(runDir), 'what is left behind').toEqual([])
  },
})
