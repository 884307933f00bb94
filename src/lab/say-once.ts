import type { Log } from '../host/progress.ts'

/** A log that says each line once, however often it is told. */
export function sayOnce(log: Log): Log {
  const said = new Set<string>()
  return (line) => {
    if (said.has(line)) return
    said.add(line)
    log(line)
  }
}
