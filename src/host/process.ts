import { readFileSync } from 'node:fs'
import { platform } from 'node:os'

/** A process that cannot be confused with a later one of the same pid. */
export interface ProcessId {
  pid: number
  /** When it started, in clock ticks since the host's boot; field 22 of /proc/PID/stat. Empty where there is no /proc. */
  startTime: string
}

/** Names the running process `pid`, or `undefined` where it has ended (a zombie has ended). */
export function processId(pid: number): ProcessId | undefined {
  if (platform() !== 'linux') return signalReaches(pid) ? { pid, startTime: '' } : undefined
  try {
    // The second field is the command in parentheses and may hold blanks and parentheses itself.
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return state === 'Z' || state === 'X' ? undefined : { pid, startTime: fields[18] ?? '' }
  } catch {
    return undefined
  }
}

/** Tells whether exactly this process still runs. */
export function isAlive({ pid, startTime }: ProcessId): boolean {
  return processId(pid)?.startTime === startTime
}

/** Ends exactly this process with `signal`, and no other that has got its pid since. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(id)) return
  try {
    process.kill(id.pid, signal)
  } catch {
    // It ended between the look and the signal.
  }
}

/**
 * A command that the kernel ends when the thread that started it ends, however that happens: `setpriv --pdeathsig`
 * of util-linux. On other systems than Linux the command as it is; there the exit hooks have to do.
 */
export function dieWithParent(file: string, args: readonly string[]): [file: string, args: string[]] {
  return platform() === 'linux'
    ? ['setpriv', ['--pdeathsig', 'KILL', '--', file, ...args]]
    : [file, [...args]]
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
