import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { root } from '../step.ts'
import { toFirstCommand, withLab } from './lab.ts'
import { keep, type Results, seconds } from './results.ts'

const cli = join(root, 'dist/cli/main.js')

/**
 * `vitest-raspi up` of four Pis until the terminal's prompt is back, as the time for each, beside a single thaw until its
 * first command: in every round one after the other.
 */
export async function measureUp(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  // A registry of its own: Pis that stand on this host are left alone.
  const dir = mkdtempSync(join(tmpdir(), 'raspi-up-'))
  const run = (...args: string[]) =>
    execa('node', [cli, ...args], { cwd: dir, env: { XDG_RUNTIME_DIR: dir } })
  const count = 4
  try {
    for (let round = 0; round < rounds; round++) {
      const thawMs = await withLab({ readyPis: 0 }, say, async (lab) => {
        // The first of a lab waits for the lab as well.
        await lab.release((await toFirstCommand(lab)).lease.id)
        return (await toFirstCommand(lab)).ms
      })
      keep(results, 'upThaw', thawMs)
      const started = performance.now()
      try {
        await run('up', '--count', String(count), '--detach')
        const ms = performance.now() - started
        keep(results, 'upEach', ms / count)
        say(`one thaw: ${seconds(thawMs)}; up of ${count}: ${seconds(ms)}, ${seconds(ms / count)} each`)
      } finally {
        await run('down')
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
