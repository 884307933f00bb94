import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { inside } from '../../src/engine/docker/container-place.ts'
import { filesLabel, ownerLabel } from '../../src/engine/docker/owner.ts'
import { qemuOf } from './processes.ts'

/** Whether the system suite's Pis run in containers: `VITEST_RASPI_ENGINE=docker npm run test:system`. */
export const onDocker = process.env.VITEST_RASPI_ENGINE === 'docker'

/** What a program has in its environment for its Pis to run on the same. */
export const engineEnv: NodeJS.ProcessEnv = onDocker
  ? { VITEST_RASPI_ENGINE: 'docker', DOCKER_HOST: process.env.DOCKER_HOST }
  : {}

/** Kills the QEMU of the Pi whose files are in `dir`, wherever it runs. */
export function killQemu(dir: string): void {
  const qemu = qemuOf(dir)
  if (qemu) {
    process.kill(qemu.pid, 'SIGKILL')
    return
  }
  const container = docker('ps', '-q', '--filter', `label=${filesLabel}=${dir}`)
  docker('exec', container, 'sh', '-c', `kill -KILL $(cat ${inside.pi}/qemu-*.pid)`)
}

/**
 * Code for a test of a project that stops the QEMU of its Pi `pi`, as SIGSTOP does, and leaves it so.
 */
export const stopQemu = onDocker
  ? `
const container = execFileSync('docker', ['ps', '-q', '--filter', \`label=${filesLabel}=\${dirname(pi.controlPath)}\`], { encoding: 'utf8' })
execFileSync('docker', ['exec', container.trim(), 'sh', '-c', 'kill -STOP $(cat ${inside.pi}/qemu-*.pid)'])`
  : `
for (const pid of readdirSync('/proc').filter((name) => /^\\d+$/.test(name))) {
  try {
    const command = readFileSync(\`/proc/\${pid}/cmdline\`, 'utf8')
    if (command.includes('qemu-system') && command.includes(dirname(pi.controlPath))) process.kill(Number(pid), 'SIGSTOP')
  } catch {}
}`

/** The ids of the containers of the process `pid` that have a QEMU; none where Pis are processes. */
export function qemuContainersOf(pid: number): string[] {
  if (!onDocker) return []
  const rows = docker('ps', '--no-trunc', '--format', `{{.ID}} {{.Label "${ownerLabel}"}}`).split('\n')
  const own = rows.filter((row) => row.includes(`"pid":${pid},`)).map((row) => row.split(' ')[0] ?? '')
  return own.filter((id) => /qemu-system-\S+ -machine/.test(dockerIfThere('top', id, '-eo', 'pid,args')))
}

/**
 * Options of the plugin with which no frozen Pi is there yet, for boards that a test file has for itself: of `fromMiB` and up
 * to 100 MiB more. For processes none are needed: their frozen Pis are in the cache, and a test can have another one.
 */
export function unfrozen(fromMiB: number): string {
  return onDocker ? `board: { name: 'virt', memoryMiB: ${fromMiB + randomInt(100)} }` : ''
}

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim()

/** The same, of a container that may be gone. */
function dockerIfThere(...args: string[]): string {
  try {
    return docker(...args)
  } catch {
    return ''
  }
}
