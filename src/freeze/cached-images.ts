import { statSync } from 'node:fs'
import { join } from 'node:path'
import { lockFilesOf } from '../image/cache-users.ts'
import { type Download, readDownload } from '../image/downloads.ts'
import { cardFile, type Entry, readEntry } from '../image/store.ts'
import { type CacheEntry, cacheEntries, imageBelow, removeEntry } from './cache-entries.ts'

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

/** All images of the cache, the last used first. `lockFiles` are looked at besides those that the cache knows. */
export async function listImages(
  cacheDir: string,
  lockFiles: readonly string[] = [],
): Promise<CachedImage[]> {
  const all = await cacheEntries(cacheDir)
  const locks = lockFilesOf(cacheDir, lockFiles)
  const frozen = all.filter(({ kind }) => kind === 'frozen Pi')
  const listed = all
    .filter(({ kind }) => kind === 'image')
    .map(async (image): Promise<CachedImage> => {
      const { id, dir, below: sum, lastUse: used } = image
      const entry = readEntry(cacheDir, id)
      const download = sum === undefined ? undefined : await readDownload(cacheDir, sum)
      const card = statSync(join(dir, cardFile), { throwIfNoEntry: false })
      return {
        ...{ name: image.name ?? 'damaged', id, dir, used },
        ...(typeof entry === 'object' ? { entry } : { damage: String(entry) }),
        bytes: (card?.blocks ?? 0) * 512 + (download?.diskBytes ?? 0),
        made: card?.mtime ?? new Date(0),
        ...(download ? { download } : {}),
        frozen: frozen.filter((pi) => imageBelow(pi, all) === id).map((pi) => pi.id),
        lockFiles: locks
          .filter(({ images }) => images.some(({ sha256 }) => sha256 === sum))
          .map(({ path }) => path),
      }
    })
  const images = await Promise.all(listed)
  return images.sort((a, b) => b.used.getTime() - a.used.getTime())
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
export async function removeImage(cacheDir: string, { id }: CachedImage): Promise<void> {
  const all = await cacheEntries(cacheDir)
  const sum = all.find((entry) => entry.kind === 'image' && entry.id === id)?.below
  const others = all.some((entry) => entry.kind === 'image' && entry.below === sum && entry.id !== id)
  const goes = (entry: CacheEntry) => {
    if (entry.kind === 'download') return entry.id === sum && !others
    return entry.kind === 'image' ? entry.id === id : imageBelow(entry, all) === id
  }
  for (const entry of all.filter(goes)) await removeEntry(cacheDir, entry)
}
