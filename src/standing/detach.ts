import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RaspiError } from '../errors.ts'
import type { DetachedMessage, StandingRequest } from './protocol.ts'
import type { StandingContext } from './standing-lab.ts'

const program = fileURLToPath(new URL('./detached.js', import.meta.url))

/**
 * Brings a standing lab up in a process of its own that survives this one and its terminal. Gives it time until it is
 * ready; ends it where `signal` comes before. Throws the `RaspiError` for which it does not come up.
 */
export async function detachLab(
  request: StandingRequest,
  { registry, log, claimed, up, signal }: Omit<StandingContext, 'detached'>,
): Promise<void> {
  const logFile = join(registry.dir, 'detached.log')
  const output = openSync(logFile, 'a', 0o600)
  // A session of its own: the terminal's signals and end are not for it. Its Pis die with it, not with us.
  const child = spawn(process.execPath, [program], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  const end = () => child.kill('SIGTERM')
  signal.addEventListener('abort', end, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: DetachedMessage) => {
        if ('line' in message) log(message.line)
        else if ('claimed' in message) claimed(message.claimed)
        else if ('up' in message) up(message.up, message.startMs)
        else if ('failed' in message) reject(RaspiError.from(message.failed))
        else resolve()
      })
      child.once('error', reject)
      child.once('exit', async (code, by) => {
        // What it has told last may be on the way yet.
        await delay(250)
        const why = by ?? `exit code ${code}`
        const hint = `What it said is in ${logFile}.`
        reject(new RaspiError('lab', `The lab's process ended before it was ready (${why}).`, { hint }))
      })
      child.send(request)
    })
  } catch (error) {
    // Until nothing of it is left.
    if (child.exitCode === null && child.signalCode === null && child.pid) await once(child, 'exit')
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', end)
  }
  child.disconnect()
  child.unref()
}
