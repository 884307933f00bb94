import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { keepFrozen } from '../freeze/freeze.ts'
import { frozenDir, frozenFiles, type Manifest, manifestFile, manifestOf } from '../freeze/store.ts'
import { privateDir } from '../host/paths.ts'
import { scratchName } from '../host/scratch.ts'
import type { Share } from './share.ts'

/** Which frozen Pi is meant. */
export interface WantedFrozen {
  cacheDir: string
  id: string
  /** The id of the one it lies on, where it is a layer. */
  parent?: string | undefined
}

/**
 * Fetches a frozen Pi from a share to its place in the cache, and tells whether it is there now. One that is not what its
 * name says is told of and not used; so is one whose files are not those that its manifest describes.
 */
export async function fetchFrozen(
  share: Share,
  { cacheDir, id, parent }: WantedFrozen,
  signal: AbortSignal,
): Promise<boolean> {
  const tmp = privateDir(cacheDir, 'tmp')
  // As deep below the cache as its place: its card names what it lies on by a relative path.
  const dir = join(tmp, scratchName('frozen'))
  try {
    if (!(await share.fetch(entryName(id), dir, signal))) return false
    const wrong = await wrongWith(dir, id, parent)
    if (wrong) {
      share.refuse(entryName(id), wrong)
      return false
    }
    await keepFrozen({ dir }, frozenDir(cacheDir, id))
    return true
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Shares a frozen Pi of the cache, in the background. */
export function offerFrozen(share: Share, { id, dir }: { id: string; dir: string }): void {
  share.offer(
    entryName(id),
    [...Object.values(frozenFiles), manifestFile].map((file) => join(dir, file)),
  )
}

/** Each architecture of hosts has its own: the state of a machine that ran on another's processor is not tried. */
const entryName = (id: string) => `frozen/${process.arch}/${id}`

/** What is wrong with what was fetched; whether its files are what was described, whoever reads it from the cache sees. */
async function wrongWith(dir: string, id: string, parent: string | undefined): Promise<string | undefined> {
  const text = await readFile(join(dir, manifestFile), 'utf8').catch(() => '')
  const manifest: Manifest | string = manifestOf(text, id, parent)
  return typeof manifest === 'string' ? manifest : undefined
}
