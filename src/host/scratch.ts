import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, processId } from './process.ts'

let count = 0

/** A new name for a directory in which something is made, that tells whose it is: `image-PID-STARTTIME-1`. */
export function scratchName(kind: string): string {
  return `${kind}-${process.pid}-${processId(process.pid)?.startTime ?? ''}-${++count}`
}

/** What processes that have ended left in `dir` under names that {@link scratchName} gave for one of `kinds`. */
export function abandoned(dir: string, ...kinds: string[]): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir).flatMap((name) => {
    const [, kind = '', pid, startTime] = /^([a-z]+)-(\d+)-(\d*)-\d+/.exec(name) ?? []
    if (!kinds.includes(kind) || startTime === undefined) return []
    return isAlive({ pid: Number(pid), startTime }) ? [] : [join(dir, name)]
  })
}
