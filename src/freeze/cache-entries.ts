import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { lastUse } from '../host/last-use.ts'
import { privateDir } from '../host/paths.ts'
import { scratchName } from '../host/scratch.ts'
import { lockFilesOf } from '../image/cache-users.ts'
import { readEntry } from '../image/store.ts'
import { cardBelow, cardsBelowRuns } from './card-below.ts'
import { frozenFiles } from './store.ts'

/** Something in the cache that takes its place. */
export interface CacheEntry {
  kind: 'frozen Pi' | 'image' | 'download'
  /** Names its content, or of a download that broke off its URL: 64 hexadecimal digits. */
  id: string
  /** Of an image that is whole: what people call it. */
  name?: string | undefined
  /** The id of what it cannot do without: the card that a frozen Pi's is a change to, the download an image was made of. */
  below?: string | undefined
  dir: string
  lastUse: Date
  /** What it takes of the disk, in bytes. */
  bytes: number
}

const places = { 'frozen Pi': 'frozen', image: 'images', download: 'downloads' } as const

/** All that a cache has: frozen Pis before the images they are changes to, and these before what they were made of. */
export async function cacheEntries(cacheDir: string): Promise<CacheEntry[]> {
  const kinds = Object.keys(places) as CacheEntry['kind'][]
  return (await Promise.all(kinds.map((kind) => entriesOf(cacheDir, kind)))).flat()
}

/**
 * What of a cache nothing has used since `before`: no test, no standing Pi, no process that runs now, no lock file that
 * is known to the cache or one of `lockFiles`, and nothing that is kept. In the order in which it can be removed.
 */
export async function unusedEntries(
  cacheDir: string,
  before: Date,
  lockFiles: readonly string[] = [],
): Promise<CacheEntry[]> {
  return unusedOf(await cacheEntries(cacheDir), cacheDir, before, lockFiles)
}

async function unusedOf(
  all: readonly CacheEntry[],
  cacheDir: string,
  before: Date,
  lockFiles: readonly string[] = [],
): Promise<CacheEntry[]> {
  const named = new Set(
    lockFilesOf(cacheDir, lockFiles).flatMap(({ images }) => images.map(({ sha256 }) => sha256)),
  )
  const [running, lainOn] = await Promise.all([commandLines(), cardsBelowRuns()])
  const kept = all.filter(
    ({ lastUse, id, below = id }) =>
      lastUse >= before || running.includes(id) || lainOn.has(id) || named.has(below),
  )
  for (const { below } of kept)
    kept.push(...all.filter((other) => other.id === below && !kept.includes(other)))
  return all.filter((entry) => !kept.includes(entry))
}

/** Those of {@link unusedEntries} that are images, frozen Pis on these or on none, and downloads of no image that is kept. */
export async function unusedImages(...wanted: Parameters<typeof unusedEntries>): Promise<CacheEntry[]> {
  const all = await cacheEntries(wanted[0])
  const unused = await unusedOf(all, ...wanted)
  const stays = (image?: string) =>
    all.some(({ kind, id }) => kind === 'image' && id === image) && !unused.some(({ id }) => id === image)
  return unused.filter((entry) => entry.kind !== 'frozen Pi' || !stays(imageBelow(entry, all)))
}

/** The id of the image that a frozen Pi lies on, be it by others; of an image that is gone as well. */
export function imageBelow({ below }: CacheEntry, all: readonly CacheEntry[]): string | undefined {
  const next = all.find(({ kind, id }) => kind === 'frozen Pi' && id === below)
  return next ? imageBelow(next, all) : below
}

/** Removes an entry whole: it is out of its place at once, whenever this is interrupted. Throws a `RaspiError`. */
export async function removeEntry(cacheDir: string, { kind, dir }: CacheEntry): Promise<void> {
  // By this name a later run sweeps what an interruption has left.
  const away = join(privateDir(cacheDir, 'tmp'), scratchName('frozen'))
  try {
    await rename(dir, away)
    await rm(away, { recursive: true, force: true })
    // What tells of a download that broke off how to go on.
    await rm(`${dir}.json`, { force: true })
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code
    throw new RaspiError('image', `The ${kind} in ${dir} could not be removed: ${why}.`, { cause: error })
  }
}

async function entriesOf(cacheDir: string, kind: CacheEntry['kind']): Promise<CacheEntry[]> {
  const place = join(cacheDir, places[kind])
  const names = await readdir(place).catch(() => [])
  const found = names.map(async (file) => {
    const id = /^([0-9a-f]{64})(\.part)?$/.exec(file)?.[1]
    if (!id) return []
    const dir = join(place, file)
    const about = kind === 'image' ? aboutImage(cacheDir, id) : {}
    const below = kind === 'frozen Pi' ? await cardBelow(join(dir, frozenFiles.card)) : undefined
    return [{ kind, id, below, ...about, dir, lastUse: await lastUse(dir), bytes: await diskBytes(dir) }]
  })
  return (await Promise.all(found)).flat()
}

function aboutImage(cacheDir: string, id: string): Pick<CacheEntry, 'name' | 'below'> {
  const entry = readEntry(cacheDir, id)
  return typeof entry === 'object' ? { name: entry.name, below: entry.source?.image?.sha256 } : {}
}

async function diskBytes(path: string): Promise<number> {
  const stats = await stat(path)
  if (!stats.isDirectory()) return stats.blocks * 512
  const files = await readdir(path, { recursive: true })
  const sizes = await Promise.all(files.map((file) => stat(join(path, file)).catch(() => undefined)))
  return sizes.reduce((sum, stats) => sum + (stats?.blocks ?? 0) * 512, 0)
}

/** The command lines of all processes, as one text. A QEMU's names the frozen Pi that it has thawed. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const texts = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''))
  return (await Promise.all(texts)).join('\n')
}
