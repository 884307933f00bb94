import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Ansible, type AnsibleContext } from '../../src/ansible/ansible.ts'
import type { AnsibleTarget } from '../../src/ansible/inventory.ts'

/** A repository of playbooks in a directory of its own, and an Ansible for it with this host in the place of Pis. */
export class AnsibleProject implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'raspi ansible '))
  readonly dir = join(this.root, 'repo')
  readonly runDir = join(this.root, 'run')

  constructor(files: Record<string, string>) {
    mkdirSync(this.runDir)
    this.write(files)
  }

  write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.dir, path)
      mkdirSync(dirname(file), { recursive: true })
      // A script says so in its first line.
      writeFileSync(file, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
    }
  }

  ansible(names: readonly string[], context: Partial<AnsibleContext> = {}): Ansible {
    return new Ansible({
      projectDir: this.dir,
      runDir: this.runDir,
      targets: names.map((name) => here(name)),
      timeoutMs: 120_000,
      log: () => {},
      ...context,
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** This host as a target: without ssh, as its variable says. */
export function here(name: string): AnsibleTarget {
  return { ...nowhere(name), vars: { ansible_connection: 'local', ansible_become: false } }
}

/** A target that nobody can reach. */
export function nowhere(name: string): AnsibleTarget {
  return {
    name,
    user: 'pi',
    host: '127.0.0.1',
    port: 1,
    privateKeyFile: '/dev/null',
    knownHostsFile: '/dev/null',
  }
}
