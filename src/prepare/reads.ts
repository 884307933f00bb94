import { readFile, stat } from 'node:fs/promises'
import { isInside, shownPath } from '../host/shown-path.ts'
import type { Places } from './places.ts'

/** What a run of ansible-playbook was seen to read. */
export interface Reads {
  /** As in {@link import('./inputs.ts').Inputs}, without what lies in Ansible's own places. */
  names: string[]
  /** Files of the project that were written while it ran: what it has read of them nobody knows. */
  unsure: string[]
}

/**
 * Reads the file that the callback plugin has written (`f` and a path for a file, `d` for a directory that was listed).
 * What lies in `places` or in `scratch`, the directories of our own, is left out; so is what the playbook has made itself
 * outside of the project.
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
    const changedAt = await stat(path).then(
      ({ ctimeMs }) => ctimeMs,
      () => 0,
    )
    const name = shownPath(path, projectDir)
    if (kind === 'f' && changedAt >= since) {
      if (isInside(path, projectDir)) reads.unsure.push(name)
      continue
    }
    const known = places.dirs.some((dir) => isInside(path, dir)) || places.files.includes(path)
    if (!known) reads.names.push(kind === 'd' ? `${name}/` : name)
  }
  reads.names.sort()
  return reads
}
