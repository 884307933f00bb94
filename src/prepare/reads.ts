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
 * Reads the file that the callback plugin has written: a kind and a path a line, as the plugin tells them. What `places`
 * hold by themselves is left out, and what lies in `scratch`, the directories of our own. So is what the playbook has made
 * itself outside of the project, as a file that it fetches: what is there follows from what else it reads.
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
  const lines = [...new Set(text.split('\n'))].map((line) => /^([fndw])\t(\/.*)/.exec(line) ?? [])
  const written = new Set(lines.filter(([, kind]) => kind === 'w').map(([, , path]) => path))
  const reads: Reads = { names: [], unsure: [] }
  for (const [, kind, path] of lines) {
    if (path === undefined || kind === 'w' || scratch.some((dir) => isInside(path, dir))) continue
    const stats = await stat(path).catch(() => undefined)
    // Where it was read as it had been before, it may be new because somebody has saved it since.
    const isMade = kind === 'n' && !(stats && stats.birthtimeMs < since)
    if (!isInside(path, projectDir) && (isMade || written.has(path))) continue
    const name = shownPath(path, projectDir)
    if (kind !== 'd' && stats && stats.ctimeMs >= since) {
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
