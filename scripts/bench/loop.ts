import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { Ansible } from '../../src/ansible/ansible.ts'
import { keep, type Measured, type Results, seconds } from './results.ts'

const items = 5_000
const variables = { ansible_connection: 'local', ansible_python_interpreter: '/usr/bin/python3' }

// A task that does hardly anything: what is added to an item shows most there.
const playbook = `- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug: { msg: "{{ item }}" }
      loop: "{{ range(items | int) | list }}"
`

/** A loop of 5,000 items on this host, by ansible-playbook alone and by `ansible.playbook()`, one after the other. */
export async function measureLoop(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'raspi-bench-'))
  const runDir = join(dir, 'run')
  mkdirSync(runDir)
  writeFileSync(join(dir, 'site.yml'), playbook)
  writeFileSync(join(dir, 'hosts.yml'), JSON.stringify({ all: { hosts: { pi: variables } } }))
  const nowhere = { host: '127.0.0.1', port: 1, privateKeyFile: '/dev/null', knownHostsFile: '/dev/null' }
  const targets = [{ name: 'pi', user: 'pi', ...nowhere, vars: variables }]
  const ansible = new Ansible({ projectDir: dir, runDir, targets, timeoutMs: 600_000, log: () => {} })
  const ways: [Measured, (items: number) => Promise<unknown>][] = [
    [
      'loopAlone',
      (items) =>
        execa('ansible-playbook', ['-i', 'hosts.yml', '-e', `items=${items}`, 'site.yml'], { cwd: dir }),
    ],
    ['loopTold', (items) => ansible.playbook('site.yml', { extraVars: { items } })],
  ]
  try {
    // The first run of a process asks for Ansible's configuration, which is known from then on.
    for (const [, run] of ways) await run(1)
    for (let round = 0; round < rounds; round++) {
      for (const [what, run] of ways) {
        const started = performance.now()
        await run(items)
        const ms = performance.now() - started
        keep(results, what, ms)
        say(`${what}: ${seconds(ms)}`)
      }
      // What a host does besides should not always meet the same one.
      ways.reverse()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
