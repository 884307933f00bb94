import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive, type ProcessId, processId } from '../../src/host/process.ts'

/** A process as a test sees it. */
export interface Seen extends ProcessId {
  command: string
}

/** Every living process that descends from `pid`. */
export function descendants(pid: number): Seen[] {
  const parents = new Map(numbers().map((each) => [each, parentOf(each)]))
  const found = new Set([pid])
  for (let size = 0; size < found.size; ) {
    size = found.size
    for (const [each, parent] of parents) if (parent !== undefined && found.has(parent)) found.add(each)
  }
  found.delete(pid)
  return [...found].flatMap(seen)
}

/** Every living process that has `text` in its environment or command line: it is handed down to all that a run starts. */
export function processesOf(text: string): Seen[] {
  return numbers()
    .filter((pid) => read(pid, 'environ').includes(text) || read(pid, 'cmdline').includes(text))
    .flatMap(seen)
}

/** The QEMU of the Pi whose files are in `dir`. One in a container is not seen. */
export function qemuOf(dir: string): Seen | undefined {
  return processesOf(join(dir, 'qmp')).find(({ command }) => command.includes('qemu-system'))
}

/** Waits until none of `those` lives, nor any that `more()` finds; gives what does after `timeoutMs`, none in good case. */
export async function survivors(
  those: readonly Seen[],
  more: () => Seen[],
  timeoutMs: number,
): Promise<Seen[]> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const late = performance.now() > deadline
    const left = [...those.filter(isAlive), ...more()]
    if (left.length === 0 || late) return left
    await delay(50)
  }
}

function seen(pid: number): Seen[] {
  const id = processId(pid)
  return id ? [{ ...id, command: read(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 200) }] : []
}

function numbers(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function parentOf(pid: number): number | undefined {
  const [, parent] = read(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ')
  return parent ? Number(parent) : undefined
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    // It has ended, or is another user's.
    return ''
  }
}
