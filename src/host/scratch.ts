import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { processId } from './process.ts'
import { mayLive, worldTag } from './world.ts'

let count = 0

/** A new name for a directory in which something is made, that tells whose it is: `image-WORLD-PID-STARTTIME-1`. */
export function scratchName(kind: string): string {
  return `${kind}-${worldTag()}-${process.pid}-${processId(process.pid)?.startTime ?? ''}-${++count}`
}

/**
 * What processes left in `dir` under names that {@link scratchName} gave for one of `kinds`, and have ended, or cannot be seen from
 * here and have changed nothing for a day: another machine or container may share `dir`.
 */
export function abandoned(dir: string, ...kinds: string[]): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir).flatMap((name) => {
    // Names of an earlier version tell no world.
    const parts = /^([a-z]+)-(?:([0-9a-f]{12})-)?(\d+)-(\d*)-\d+/.exec(name) ?? []
    const [, kind = '', world, pid, startTime] = parts
    if (!kinds.includes(kind) || startTime === undefined) return []
    const path = join(dir, name)
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    const isLeft = changed !== undefined && !mayLive({ world, pid: Number(pid), startTime }, changed)
    return isLeft ? [path] : []
  })
}
