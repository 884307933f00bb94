import { Lab } from '../../src/lab/lab.ts'
import type { Lease, LeaseRequest } from '../../src/lab/protocol.ts'
import { type RaspiOptions, resolveOptions } from '../../src/options.ts'
import { runBySsh } from '../../src/pi/ssh.ts'

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

/** Leases what `wanted` says, by default one Pi of the lab's image and board. */
export function lease(lab: Lab, wanted: Partial<LeaseRequest> = {}): Promise<Lease> {
  const { image, board } = lab.options
  return lab.lease(
    { holder: 'bench', pis: [{ name: 'pi' }], image, board, ...wanted },
    new AbortController().signal,
    (pi, error) => console.error(`${pi.identity.hostname} is lost: ${error.message}`),
  )
}

/** Leases a Pi, runs a first command on it, and gives the time that both took, in ms, with the lease. */
export async function toFirstCommand(lab: Lab): Promise<{ ms: number; lease: Lease }> {
  const started = performance.now()
  const leased = await lease(lab)
  await command(leased, 'true')
  return { ms: performance.now() - started, lease: leased }
}

/** Runs a command on a Pi of a lease, and gives its output. */
export async function command({ pis }: Lease, line: string, which = 0): Promise<string> {
  const pi = pis[which]
  if (!pi) throw new Error('The lease has no Pi.')
  return (await runBySsh(pi.name, pi.connection, pi.controlPath, line)).stdout
}
