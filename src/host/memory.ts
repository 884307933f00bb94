import { readFileSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { join } from 'node:path'

/**
 * Memory that processes may still take, in bytes: what the system has available, and within a container what its limit
 * leaves. What the kernel keeps of files counts as available, because it gives that up before anything else. `root` is
 * where the file system begins. @default '/'
 */
export function availableMemory(root = '/'): number {
  const limit = process.constrainedMemory()
  // The system's own word, in which files are counted so already.
  if (limit === 0 || limit > totalmem()) return process.availableMemory()
  // Of a limit it is what is left beside everything that is charged to it, files too.
  return Math.min(process.availableMemory() + keptOfFiles(root), freemem())
}

/** What the kernel keeps of files for this process's cgroup and those below it, in bytes. */
function keptOfFiles(root: string): number {
  const groups = read(join(root, 'proc/self/cgroup'))
  const legacy = /:memory:(.*)$/m.exec(groups)?.[1]
  const mount = join(root, 'sys/fs/cgroup', legacy === undefined ? '' : 'memory')
  const path = legacy ?? /^0::(.*)$/m.exec(groups)?.[1] ?? ''
  // A container without a cgroup namespace has a path of the host's, while its own group is where they begin.
  const stat = read(join(mount, path, 'memory.stat')) || read(join(mount, 'memory.stat'))
  const prefix = legacy === undefined ? '' : 'total_'
  const bytes = (name: string) => Number(new RegExp(`^${prefix}${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0)
  return bytes('active_file') + bytes('inactive_file')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
