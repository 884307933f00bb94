import { setTimeout as delay } from 'node:timers/promises'
import { RaspiError } from '../errors.ts'
import { quote } from '../host/quote.ts'
import type { Machine } from '../machine/machine.ts'

/** The RAM is in a file already, so the state leaves it out. https://www.qemu.org/docs/master/system/vm-templating.html */
const withoutRam = { capabilities: [{ capability: 'x-ignore-shared', state: true }] }

/** How long a state of less than a megabyte may take to be written or read, in ms. */
const timeoutMs = 30_000

/** Writes the state of a paused machine's devices and processors to the new file `path`. */
export async function migrateOut(machine: Machine, path: string): Promise<void> {
  await machine.qmp.execute('migrate-set-capabilities', withoutRam)
  // QEMU 7.2 has no `file:` migration yet.
  await machine.qmp.execute('migrate', { uri: `exec:cat > ${quote(path)}` })
  await until(machine, async () => {
    const { status, 'error-desc': why } = await machine.qmp.execute<{
      status: string
      'error-desc'?: string
    }>('query-migrate')
    if (status === 'failed' || status === 'cancelled')
      throw new RaspiError('freeze', `QEMU could not write the Pi's state: ${why ?? status}`)
    return status === 'completed'
  })
}

/** Reads the state at `path` into a machine that was started with `incoming`; it stays paused. */
export async function migrateIn(machine: Machine, path: string): Promise<void> {
  await machine.qmp.execute('migrate-set-capabilities', withoutRam)
  await machine.qmp.execute('migrate-incoming', { uri: `exec:cat ${quote(path)}` })
  await until(machine, async () => {
    const { status } = await machine.qmp.execute<{ status: string }>('query-status')
    return status !== 'inmigrate'
  })
}

async function until(machine: Machine, done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await done())) {
    if (machine.hasEnded)
      throw new RaspiError('freeze', `The Pi was lost while its state was moved: ${machine.fate()}`)
    if (performance.now() > deadline)
      throw new RaspiError('freeze', `The Pi's state was not moved within ${timeoutMs / 1000} s`)
    await delay(2)
  }
}
