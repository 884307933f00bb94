import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { ContainerProcess } from '../../../src/engine/docker/exec.ts'

const program = readFileSync(
  fileURLToPath(new URL('../../../src/control-node/remote.py', import.meta.url)),
  'utf8',
)

/** remote.py on this host, in the place of one in a container: everything but that is real. */
export function startRemote(): ContainerProcess & { pid: number } {
  const child = spawn('python3', ['-c', program], { stdio: 'pipe' })
  child.stdin.on('error', () => {})
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  child.once('close', () => {
    if (said) console.error(said)
  })
  const exited = once(child, 'close').then(([code]) => code as number)
  return {
    ...{ stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exited, pid: child.pid ?? 0 },
    leave: () => child.stdin.destroy(),
  }
}
