import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import { fileDigest } from '../host/file-digest.ts'
import { sparseDigest } from '../host/sparse-digest.ts'
import { downloadFile, readDownload } from '../image/downloads.ts'
import { cardFile, entryFile, readEntry } from '../image/store.ts'
import { type CacheEntry, cacheEntries } from './cache-entries.ts'
import { frozenFiles, manifestFile } from './store.ts'

/** One file of the cache, looked at byte by byte. */
export interface Verdict {
  path: string
  /** `unknown`: nothing tells what it should be. */
  status: 'ok' | 'damaged' | 'unknown'
  problem?: string
}

/** Hashes every image, download and frozen Pi of the cache again. Tells one by one, for it takes its time. */
export async function* verifyCache(cacheDir: string): AsyncGenerator<Verdict> {
  const all = await cacheEntries(cacheDir)
  const of = (kind: CacheEntry['kind']) => all.filter((entry) => entry.kind === kind)
  for (const image of of('image')) yield verifyImage(cacheDir, image)
  for (const { id, dir } of of('download').filter(({ dir }) => !dir.endsWith('.part'))) {
    const found = await readDownload(cacheDir, id)
    if (found) yield compare(found.path, id, fileDigest)
    else yield { path: dir, status: 'damaged', problem: `what ${downloadFile} describes is not there` }
  }
  for (const { dir } of of('frozen Pi')) yield* verifyFrozen(dir)
}

async function verifyImage(cacheDir: string, { id, dir }: CacheEntry): Promise<Verdict> {
  const entry = readEntry(cacheDir, id)
  const path = join(dir, cardFile)
  if (typeof entry !== 'object')
    return { path: join(dir, entryFile), status: 'damaged', problem: entry ?? 'it is missing' }
  if (entry.digest) return compare(path, entry.digest, sparseDigest)
  const problem = 'it was made before digests were kept; `image rm` it to have it anew'
  return { path, status: 'unknown', problem }
}

/** Compares the files of a frozen Pi with its manifest. */
async function* verifyFrozen(dir: string): AsyncGenerator<Verdict> {
  const path = join(dir, manifestFile)
  try {
    const { files } = JSON.parse(readFileSync(path, 'utf8')) as { files: Record<string, { sha256: string }> }
    for (const [name, file] of Object.entries(frozenFiles)) {
      const known = files[name]
      if (known) yield await compare(join(dir, file), known.sha256, sparseDigest)
    }
  } catch (error) {
    yield { path, status: 'damaged', problem: messageOf(error) }
  }
}

async function compare(
  path: string,
  expected: string,
  digest: (path: string) => Promise<string>,
): Promise<Verdict> {
  try {
    const found = await digest(path)
    if (found === expected) return { path, status: 'ok' }
    return {
      path,
      status: 'damaged',
      problem: `its digest is ${found}, and was ${expected} when it was written`,
    }
  } catch (error) {
    return { path, status: 'damaged', problem: messageOf(error) }
  }
}
