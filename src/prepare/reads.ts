import { readFile, stat } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { isInside, shownPath } from '../host/shown-path.ts'
import { isIgnored, type Places } from './places.ts'

/** What a run of ansible-playbook was seen to read. */
export interface Reads {
  /** As in {@link import('./inputs.ts').Inputs}, without what lies in Ansible's own places. */
  names: string[]
  /** Files that were written while it ran: what it has read of them nobody knows. */
  unsure: string[]
}

/**
 * Reads the file that the callback plugin has written (`f` and a path for a file, `d` for a directory that was listed).
 * What `places` hold by themselves is left out, and what lies in `scratch`, the directories of our own. What is new
 * outside of the project, the playbook has made itself: from then on it counts as it is.
 */
export async function readsOf(
  file: string,
  {
    places,
    projectDir,
    scratch,
    since,
  }: { places: Places; projectDir: string; scratch: string[]; since: number },
): Promise<Reads> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const reads: Reads = { names: [], unsure: [] }
  for (const line of new Set(text.split('\n'))) {
    const [, kind, path] = /^([fd])\t(\/.*)/.exec(line) ?? []
    if (path === undefined || scratch.some((dir) => isInside(path, dir))) continue
    const stats = await stat(path).catch(() => undefined)
    const name = shownPath(path, projectDir)
    const changed = stats !== undefined && stats.ctimeMs >= since
    if (kind === 'f' && changed && (isInside(path, projectDir) || stats.birthtimeMs < since)) {
      reads.unsure.push(name)
      continue
    }
    if (!isKnown(path, places)) reads.names.push(kind === 'd' ? `${name}/` : name)
  }
  reads.names.sort()
  return reads
}

/** Whether `places` count `path` among what they hold: not what lies below an ignored name, though a playbook may read it. */
function isKnown(path: string, { dirs, files }: Places): boolean {
  if (files.includes(path)) return true
  return dirs.some((dir) => isInside(path, dir) && !relative(dir, path).split(sep).some(isIgnored))
}
