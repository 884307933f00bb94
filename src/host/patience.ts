import { setTimeout as delay } from 'node:timers/promises'

/** How long the word that a Pi is lost may take after its connections have ended, in ms. */
const patienceMs = 1_000

/**
 * Tells whether `signal` has aborted, or does so within a second. For who has lost a connection, and learns by the signal
 * a moment later that the whole Pi is lost.
 */
export async function abortsSoon(signal: AbortSignal | undefined): Promise<boolean> {
  if (!signal) return false
  await delay(patienceMs, undefined, { signal }).catch(() => {})
  return signal.aborted
}
