import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test as base } from 'vitest'
import type { AnsibleConfig } from '../../../src/ansible/config.ts'

/** A repository of a user's, in a directory of its own. */
export interface Repository {
  /** Holds it, and what is beside it. */
  root: string
  dir: string
  /** Writes files by their paths in it, with what they hold. */
  write(files: Record<string, string>): void
}

/** Tests with a repository. */
export const test = base.extend<{ repository: Repository }>({
  repository: async ({}, use) => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'raspi prepare ')))
    const dir = join(root, 'my pis')
    const write = (files: Record<string, string>) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(dir, path)), { recursive: true })
        writeFileSync(join(dir, path), text)
      }
    }
    write({ 'prepare.yml': '- hosts: all\n' })
    await use({ root, dir, write })
    rmSync(root, { recursive: true })
  },
})

/** What Ansible's configuration says. */
export function aConfig(values: Record<string, unknown> = {}): AnsibleConfig {
  return { value: (name) => values[name], isSet: (name) => name in values }
}
