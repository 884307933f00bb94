import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { messageOf } from '../errors.ts'
import { fileDigest } from '../host/file-digest.ts'
import { lastUse } from '../host/last-use.ts'
import { sparseDigest } from '../host/sparse-digest.ts'
import { lockFilesOf } from './cache-users.ts'
import { type Download, downloadFile, downloadsDir, listDownloads } from './downloads.ts'
import { cardFile, type Entry, entryDir, entryFile, listRecipes, readEntry } from './store.ts'

/** An image in the cache, with all that depends on it. */
export interface CachedImage {
  name: string
  /** Where it is kept: the id of its recipe. */
  id: string
  dir: string
  /** Absent where the image is damaged. */
  entry?: Entry
  /** What is wrong with it. */
  damage?: string
  /** What it takes on the disk, in bytes, what it was downloaded as included. */
  bytes: number
  made: Date
  used: Date
  /** What it was downloaded as, where that is still there. */
  download?: Download
  /** The ids of the frozen Pis that lie on it. */
  frozen: string[]
  /** The lock files that name it. */
  lockFiles: string[]
}

/** All images of the cache, the last used first. */
export async function listImages(cacheDir: string): Promise<CachedImage[]> {
  const downloads = await listDownloads(cacheDir)
  const locks = lockFilesOf(cacheDir)
  const frozen = await frozenPis(cacheDir)
  const listed = listRecipes(cacheDir).map(async (id): Promise<CachedImage> => {
    const found = readEntry(cacheDir, id)
    const entry = typeof found === 'object' ? found : undefined
    const dir = entryDir(cacheDir, id)
    const sum = entry?.source?.image?.sha256
    const download = downloads.find(({ sha256 }) => sha256 === sum)
    const card = statSync(join(dir, cardFile), { throwIfNoEntry: false })
    return {
      ...{ name: entry?.name ?? 'damaged', id, dir },
      ...(entry ? { entry } : { damage: String(found) }),
      bytes: (card?.blocks ?? 0) * 512 + (download?.diskBytes ?? 0),
      made: card?.mtime ?? new Date(0),
      used: await lastUse(dir),
      ...(download ? { download } : {}),
      frozen: frozen.filter(({ card }) => card === join(dir, cardFile)).map(({ id }) => id),
      lockFiles: locks
        .filter(({ images }) => images.some(({ sha256 }) => sha256 === sum))
        .map(({ path }) => path),
    }
  })
  const images = await Promise.all(listed)
  return images.sort((a, b) => b.used.getTime() - a.used.getTime())
}

/** The frozen Pis of the cache, and the cards of images that they lie on, be it by other frozen Pis. */
async function frozenPis(cacheDir: string): Promise<{ id: string; card: string | undefined }[]> {
  const dir = join(cacheDir, 'frozen')
  const ids = existsSync(dir) ? readdirSync(dir).filter((name) => /^[0-9a-f]{64}$/.test(name)) : []
  return Promise.all(ids.map(async (id) => ({ id, card: await lowestCard(join(dir, id, 'card.qcow2')) })))
}

async function lowestCard(overlay: string): Promise<string | undefined> {
  const backing = await backingFile(overlay).catch(() => undefined)
  if (!backing) return undefined
  const below = resolve(dirname(overlay), backing)
  return below.endsWith('.qcow2') ? lowestCard(below) : below
}

/** The file that a qcow2 lies on: https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.rst */
async function backingFile(path: string): Promise<string> {
  const file = await open(path)
  try {
    const header = (await file.read(Buffer.alloc(20), 0, 20, 0)).buffer
    const length = header.readUInt32BE(16)
    const name = await file.read(Buffer.alloc(length), 0, length, Number(header.readBigUInt64BE(8)))
    return name.buffer.toString('utf8')
  } finally {
    await file.close()
  }
}

/** The images that `wish` means: a name, or the beginning of an id. */
export function matching(images: CachedImage[], wish: string): CachedImage[] {
  return images.filter(
    ({ name, id }) => name === wish || (/^[0-9a-f]{4,64}$/.test(wish) && id.startsWith(wish)),
  )
}

/**
 * Removes an image: its frozen Pis first, which nobody could use without it, then the card, then what it was downloaded
 * as where no other image was made of that.
 */
export async function removeImage(cacheDir: string, image: CachedImage): Promise<void> {
  for (const id of image.frozen) await rm(join(cacheDir, 'frozen', id), { recursive: true, force: true })
  await rm(image.dir, { recursive: true, force: true })
  const others = await listImages(cacheDir)
  if (image.download && !others.some(({ download }) => download?.sha256 === image.download?.sha256))
    await rm(image.download.dir, { recursive: true, force: true })
}

/** What of the cache belongs to no image: downloads that nothing was made of, broken ones, frozen Pis without an image. */
export async function strays(cacheDir: string): Promise<{ path: string; bytes: number }[]> {
  const images = await listImages(cacheDir)
  const named = new Set(lockFilesOf(cacheDir).flatMap(({ images }) => images.map(({ sha256 }) => sha256)))
  const wanted = new Set([...named, ...images.flatMap(({ download }) => (download ? [download.sha256] : []))])
  const downloads = (await readdir(downloadsDir(cacheDir)).catch(() => []))
    .filter((name) => !wanted.has(name))
    .map((name) => join(downloadsDir(cacheDir), name))
  const held = new Set(images.flatMap(({ frozen }) => frozen))
  const frozen = (await frozenPis(cacheDir))
    .filter(({ id }) => !held.has(id))
    .map(({ id }) => join(cacheDir, 'frozen', id))
  return Promise.all([...downloads, ...frozen].map(async (path) => ({ path, bytes: await diskBytes(path) })))
}

async function diskBytes(path: string): Promise<number> {
  const stats = await stat(path)
  if (!stats.isDirectory()) return stats.blocks * 512
  const sizes = await Promise.all((await readdir(path)).map((name) => diskBytes(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** One file of the cache, looked at byte by byte. */
export interface Verdict {
  path: string
  /** `unknown`: nothing tells what it should be. */
  status: 'ok' | 'damaged' | 'unknown'
  problem?: string
}

/** Hashes every image, download and frozen Pi of the cache again. Tells one by one, for it takes its time. */
export async function* verifyCache(cacheDir: string): AsyncGenerator<Verdict> {
  for (const { entry, dir, damage } of await listImages(cacheDir)) {
    const path = join(dir, cardFile)
    if (!entry) yield { path: join(dir, entryFile), status: 'damaged', problem: damage ?? 'it is missing' }
    else if (!entry.digest)
      yield {
        path,
        status: 'unknown',
        problem: 'it was made before digests were kept; `image rm` it to have it anew',
      }
    else yield await compare(path, entry.digest, sparseDigest)
  }
  const downloads = await listDownloads(cacheDir)
  for (const { path, sha256 } of downloads) yield await compare(path, sha256, fileDigest)
  const known = new Set(downloads.map(({ sha256 }) => sha256))
  const named = (await readdir(downloadsDir(cacheDir)).catch(() => [])).filter((name) =>
    /^[0-9a-f]{64}$/.test(name),
  )
  for (const name of named.filter((name) => !known.has(name)))
    yield {
      path: join(downloadsDir(cacheDir), name),
      status: 'damaged',
      problem: `what ${downloadFile} describes is not there`,
    }
  for (const { id } of await frozenPis(cacheDir)) yield* verifyFrozen(join(cacheDir, 'frozen', id))
}

/** Compares the files of a frozen Pi with its manifest. */
async function* verifyFrozen(dir: string): AsyncGenerator<Verdict> {
  const path = join(dir, 'frozen.json')
  try {
    const { files } = JSON.parse(readFileSync(path, 'utf8')) as { files: Record<string, { sha256: string }> }
    for (const [name, { sha256 }] of Object.entries(files))
      yield await compare(join(dir, name === 'card' ? 'card.qcow2' : name), sha256, sparseDigest)
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
