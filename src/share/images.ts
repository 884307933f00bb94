import { chmod, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { privateDir } from '../host/paths.ts'
import { scratchName } from '../host/scratch.ts'
import type { Shelf } from '../image/shelf.ts'
import { cardFile, entryFile, readEntryIn } from '../image/store.ts'
import type { Share } from './share.ts'

/** The images of a share, and the key that they accept: an image is made for one key. */
export function shelfOf(share: Share, cacheDir: string): Shelf {
  const never = new AbortController().signal
  const imageName = (id: string) => `images/${id}`
  return {
    async fetchImage(id, dir, signal = never) {
      if (!(await share.fetch(imageName(id), dir, signal))) return false
      const entry = readEntryIn(dir, id)
      if (typeof entry === 'object') return true
      share.refuse(imageName(id), entry)
      await rm(dir, { recursive: true, force: true })
      return false
    },
    offerImage(id, dir) {
      share.offer(
        imageName(id),
        [cardFile, entryFile].map((file) => join(dir, file)),
      )
    },
    async fetchKey(file, signal = never) {
      const dir = join(privateDir(cacheDir, 'tmp'), scratchName('key'))
      try {
        if (!(await share.fetch('key', dir, signal))) return false
        await rename(join(dir, basename(file)), file)
        await chmod(file, 0o600)
        return true
      } catch {
        share.refuse('key', 'it is no key of vitest-raspi')
        return false
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    },
    async joinKey(file, signal = never) {
      const other =
        'its images accept another key than those of this cache. Remove the cache to take part, or use another share'
      await share.agree('key', file, other, signal)
    },
  }
}
