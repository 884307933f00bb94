import { duration } from './duration.ts'

export { duration }

/** Takes one whole line for the user. Never a part of a line: Vitest's own output is between them. */
export type Log = (line: string) => void

/** How often a phase that goes on says that it does, in ms. */
const heartbeatMs = 10_000

/**
 * Does `work` and says so: a line at its start, one every 10 s while it goes on (with `detail()` where there is one)
 * and one with the elapsed time at its end.
 */
export async function phase<T>(
  log: Log,
  title: string,
  work: () => Promise<T>,
  detail: () => string = () => '',
): Promise<T> {
  const started = performance.now()
  log(`${title} …`)
  const heartbeat = setInterval(() => {
    const more = detail()
    log(`${title} … ${elapsed(started)}${more && `, ${more}`}`)
  }, heartbeatMs)
  heartbeat.unref()
  try {
    const result = await work()
    log(`${title}: done in ${elapsed(started)}`)
    return result
  } finally {
    clearInterval(heartbeat)
  }
}

/** The time since `started` (a `performance.now()`), for people: `0.4 s`, `12 s`, `3 min 5 s`. */
export function elapsed(started: number): string {
  return duration(performance.now() - started)
}
