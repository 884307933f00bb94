import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type RemoteImage, remoteImageSchema } from './remote-image.ts'

/** An image as it was downloaded, in the cache. */
export interface Download extends RemoteImage {
  dir: string
  path: string
  /** What it takes, in bytes. */
  diskBytes: number
  /** When it was downloaded. */
  at: Date
}

/** What is told about a download, beside it. */
export const downloadFile = 'download.json'

export function downloadsDir(cacheDir: string): string {
  return join(cacheDir, 'downloads')
}

/** What a download is called in its directory: as on the server, so that people know it. */
export function fileIn({ url }: RemoteImage): string {
  const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '').replaceAll(/[^\w.+-]/g, '_')
  return /^[\w]/.test(name) && name !== downloadFile ? name : 'image'
}

/** The download with this SHA-256, where it is in the cache. Its bytes are not looked at: `image verify` does that. */
export async function readDownload(cacheDir: string, sha256: string): Promise<Download | undefined> {
  const dir = join(downloadsDir(cacheDir), sha256)
  try {
    const image = remoteImageSchema.parse(JSON.parse(await readFile(join(dir, downloadFile), 'utf8')))
    const path = join(dir, fileIn(image))
    const { size, blocks, mtime } = await stat(path)
    if (image.bytes && size !== image.bytes) return undefined
    return { ...image, dir, path, diskBytes: blocks * 512, at: mtime }
  } catch {
    return undefined
  }
}

/** All downloads of the cache, those that are under way aside. */
export async function listDownloads(cacheDir: string): Promise<Download[]> {
  const names = await readdir(downloadsDir(cacheDir)).catch(() => [])
  const sums = names.filter((name) => /^[0-9a-f]{64}$/.test(name))
  const found = await Promise.all(sums.map((sha256) => readDownload(cacheDir, sha256)))
  return found.filter((each) => each !== undefined)
}
