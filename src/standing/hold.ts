import { RaspiError } from '../errors.ts'
import type { StandingRequest } from './protocol.ts'
import { type StandingContext, StandingLab } from './standing-lab.ts'

/** The signals by which people, systems and terminals ask a process to end. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Brings a standing lab up in this process, tells `ready` once it is, and holds it until a signal, its deadline or
 * somebody's `down` ends it. Gives the reason. Throws a `RaspiError` where it does not come up.
 */
export async function holdLab(
  request: StandingRequest,
  context: Omit<StandingContext, 'signal'>,
  ready: (lab: StandingLab) => void | Promise<void>,
): Promise<string> {
  const stop = new AbortController()
  let endedBy = ''
  const interrupt = (signal: NodeJS.Signals) => {
    endedBy = `it was ended by ${signal}`
    stop.abort(new RaspiError('cancelled', `The start was given up, because ${endedBy}.`))
  }
  for (const signal of endings) process.on(signal, interrupt)
  // Pis that are switched off or lost keep no process alive, but a lab that stands must.
  const stay = setInterval(() => {}, 60_000)
  try {
    const lab = await StandingLab.start(request, { ...context, signal: stop.signal })
    stop.signal.addEventListener('abort', () => void lab.close(endedBy))
    await ready(lab)
    return await lab.ended
  } finally {
    clearInterval(stay)
    for (const signal of endings) process.off(signal, interrupt)
  }
}
