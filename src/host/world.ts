import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isAlive, type ProcessId } from './process.ts'

/**
 * Among which processes a pid is one: a name is not enough, because machines are cloned with theirs, and containers have that of
 * their host. The boot and the pid namespace, see pid_namespaces(7), are empty where there is no /proc.
 */
export const world = () => ({
  host: hostname(),
  boot: inProc(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  processes: inProc(() => readlinkSync('/proc/self/ns/pid')),
})

let tag: string | undefined

/** The same in 12 hexadecimal digits. A process stays in its world. */
export function worldTag(): string {
  tag ??= createHash('sha256').update(JSON.stringify(world())).digest('hex').slice(0, 12)
  return tag
}

/** Whose something is that others can see too who share a file system with this host. */
export interface Owner extends ProcessId {
  /** The {@link worldTag} of its process. Nothing of an earlier version has one. */
  world?: string | undefined
}

/** How old what is of another world is at the least to be taken for left behind, in ms. */
const foreignMs = 24 * 3_600_000

/**
 * Whether the owner of something that has last changed at `changedMs` may still need it. That a process of another world lives
 * cannot be seen from here: it may do so for a day, for this may also be a world that was here until the last boot.
 */
export function mayLive(owner: Owner, changedMs: number): boolean {
  if (!isElsewhere(owner) && isAlive(owner)) return true
  return owner.world !== worldTag() && Date.now() - changedMs < foreignMs
}

/** Whether the process of `owner` is not among those that are seen here. One of an earlier version is here, as a rule. */
export const isElsewhere = ({ world: its }: Owner): boolean => its !== undefined && its !== worldTag()

function inProc(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
