import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ansible } from '../../src/ansible/ansible.ts'
import type { Acceleration } from '../../src/ansible/mitogen.ts'
import { root } from '../step.ts'
import { toFirstCommand, withLab } from './lab.ts'
import { keep, type Measured, type Results, seconds } from './results.ts'

const ways: { what: Measured; shared: boolean; accelerate?: Acceleration }[] = [
  { what: 'playbookPlain', shared: false },
  { what: 'playbookShared', shared: true },
  { what: 'playbookMitogen', shared: false, accelerate: 'auto' },
  { what: 'playbookAll', shared: true, accelerate: 'auto' },
]

/**
 * The quickstart's playbook on a fresh Pi: with a connection of its own, over the one that the lab has open, through
 * Mitogen where that is installed, and with both.
 */
export async function measurePlaybook(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  const projectDir = join(root, 'examples/quickstart')
  const runDir = mkdtempSync(join(tmpdir(), 'raspi-bench-'))
  try {
    await withLab({ readyPis: 0 }, say, async (lab) => {
      for (let round = 0; round < rounds; round++) {
        for (const { what, shared, accelerate } of ways) {
          const { lease } = await toFirstCommand(lab)
          const targets = lease.pis.map(({ connection, controlPath }) => {
            return { ...connection, ...(shared ? { controlPath } : {}), name: 'hello-pi', groups: ['pis'] }
          })
          const context = { projectDir, runDir, targets, timeoutMs: 1_200_000, log: () => {} }
          const started = performance.now()
          const run = await new Ansible({ ...context, accelerate }).playbook('site.yml')
          if (!run.ok) throw new Error(`${what}: the playbook failed.\n${run.stdout}`)
          const ms = performance.now() - started
          keep(results, what, ms)
          say(`${what}: ${seconds(ms)}`)
          await lab.release(lease.id)
        }
      }
    })
  } finally {
    rmSync(runDir, { recursive: true, force: true })
  }
}
