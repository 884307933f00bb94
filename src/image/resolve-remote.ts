import { statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import type { Log } from '../host/progress.ts'
import { fetchChecksum } from './checksum.ts'
import { listDownloads } from './downloads.ts'
import { pin, readLockFile } from './lock-file.ts'
import { atHome, atMirror, findRaspios, isRelease, isWithin } from './raspios.ts'
import type { Reference } from './reference.ts'
import type { RemoteImage } from './remote-image.ts'
import { cardFile, type Entry, entryDir, listEntries } from './store.ts'

/** How long a server is waited for where there is something to go on with, in ms. */
const brieflyMs = 5_000

export interface RemoteContext {
  cacheDir: string
  log: Log
  signal?: AbortSignal | undefined
  /** Where `latest` is pinned; where there is none, it is asked for anew each time. */
  lockFile?: string | undefined
  /** Asks anew what `latest` is, and pins that, and what a URL has. */
  update?: boolean | undefined
  retryMs?: number | undefined
}

/**
 * What a reference to an image of the network means: its URL and its checksum. The network is asked only where neither
 * the user, nor the lock file, nor a download in the cache tells. Throws a `RaspiError` where that does not help either.
 */
export async function resolveRemote(
  reference: Reference & { kind: 'raspios' | 'url' },
  context: RemoteContext,
): Promise<RemoteImage> {
  if (reference.kind === 'url') {
    const { url, sha256, checksumUrl, extractedSha256, extractedBytes, initFormat } = reference
    const told = { url, extractedSha256, extractedBytes, initFormat }
    if (sha256) return { ...told, sha256 }
    return { ...told, sha256: await checksumOf(url, checksumUrl, context) }
  }
  const { name, release, baseUrl } = reference
  const image =
    release === 'latest'
      ? await pinned(name, baseUrl, context)
      : ((await knownRelease(name, release, baseUrl, context.cacheDir)) ??
        (await findRaspios(name, release, { ...context, baseUrl })))
  return atMirror(image, baseUrl)
}

/** The SHA-256 of what `url` gives: that of its download, else what the server tells, which may have another file by now. */
async function checksumOf(
  url: string,
  checksumUrl: string | undefined,
  context: RemoteContext,
): Promise<string> {
  const { cacheDir, update, log, signal } = context
  const isIt = (image: RemoteImage) => image.url === url
  const download = update ? undefined : await knownDownload(cacheDir, isIt)
  if (download) return download.sha256
  const kept = update ? undefined : keptImage(cacheDir, isIt)
  try {
    return await fetchChecksum(url, checksumUrl, { ...context, ...(kept && { onceWithinMs: brieflyMs }) })
  } catch (error) {
    if (!kept || signal?.aborted) throw error
    const [why] = messageOf(error).split('\n', 1)
    log(`Image ${url}: what it was when it was set up is used, as nothing tells what it is now (${why})`)
    return kept.sha256
  }
}

async function pinned(
  raspios: string,
  baseUrl: string | undefined,
  context: RemoteContext,
): Promise<RemoteImage> {
  const { lockFile, update, log } = context
  const name = `${raspios}@latest`
  const before = lockFile ? readLockFile(lockFile)[name] : undefined
  if (before && !update) return before
  const found = await findRaspios(raspios, 'latest', { ...context, baseUrl })
  if (!lockFile || found.sha256 === before?.sha256) return found
  try {
    // The file belongs to everybody, and a mirror may be one person's.
    pin(lockFile, { [name]: atHome(found, baseUrl) })
    log(
      `Image ${name} is ${found.release ?? found.url} from now on: so says ${lockFile}, which belongs under version control`,
    )
  } catch (error) {
    log(`Image ${name} could not be pinned: ${lockFile} cannot be written (${messageOf(error)})`)
  }
  return found
}

/** What the cache knows of a release. What was set up may be wanted again in another way, and is to be had from here then. */
async function knownRelease(name: string, release: string, baseUrl: string | undefined, cacheDir: string) {
  const isIt = (image: RemoteImage) => isRelease(image, name, release)
  return (
    (await knownDownload(cacheDir, isIt)) ??
    keptImage(cacheDir, (image) => isIt(image) && isWithin(image, baseUrl))
  )
}

/** The newest download of an image. */
async function knownDownload(
  cacheDir: string,
  isIt: (image: RemoteImage) => boolean,
): Promise<RemoteImage | undefined> {
  const found = (await listDownloads(cacheDir)).filter(isIt)
  return found.sort((a, b) => b.at.getTime() - a.at.getTime())[0]
}

/** What the image that was set up last was downloaded as; the download itself may be gone. */
function keptImage(cacheDir: string, isIt: (image: RemoteImage) => boolean): RemoteImage | undefined {
  const made = ({ recipe }: Entry) => statSync(join(entryDir(cacheDir, recipe), cardFile)).mtimeMs
  const found = listEntries(cacheDir).filter(({ source }) => source?.image && isIt(source.image))
  return found.sort((a, b) => made(b) - made(a))[0]?.source?.image
}
