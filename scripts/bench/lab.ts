import { Lab } from '../../src/lab/lab.ts'
import type { Lease } from '../../src/lab/protocol.ts'
import { type RaspiOptions, resolveOptions } from '../../src/options.ts'
import { runBySsh } from '../../src/pi/ssh.ts'

/** A signal that never aborts. */
export const quiet = new AbortController().signal

/** Lets `use` work with a lab of its own, whose end is the end of all its Pis. */
export async function withLab<T>(
  options: RaspiOptions,
  say: (line: string) => void,
  use: (lab: Lab) => Promise<T>,
): Promise<T> {
  const lab = new Lab(resolveOptions(options), say)
  const kill = () => lab.kill()
  process.on('exit', kill)
  try {
    return await use(lab)
  } finally {
    await lab.close()
    process.off('exit', kill)
  }
}

/** Leases a Pi, runs a first command on it, and gives the time that both took, in ms, with the lease. */
export async function toFirstCommand(lab: Lab, image?: string): Promise<{ ms: number; lease: Lease }> {
  const started = performance.now()
  const lease = await lab.lease(
    { holder: 'bench', pis: [{ name: 'pi' }], image: image ?? lab.options.image, board: lab.options.board },
    quiet,
    (pi, error) => console.error(`${pi.identity.hostname} is lost: ${error.message}`),
  )
  await command(lease, 'true')
  return { ms: performance.now() - started, lease }
}

/** Runs a command on a Pi of a lease, and gives its output. */
export async function command(lease: Lease, line: string, which = 0): Promise<string> {
  const pi = lease.pis[which]
  if (!pi) throw new Error('The lease has no Pi.')
  return (await runBySsh(pi.name, pi.connection, pi.controlPath, line)).stdout
}
