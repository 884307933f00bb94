import { type FileHandle, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { lastUse } from '../host/last-use.ts'
import { privateDir } from '../host/paths.ts'
import { scratchName } from '../host/scratch.ts'
import { frozenFiles } from './store.ts'

/** Something in the cache that takes its place. */
export interface CacheEntry {
  kind: 'image' | 'frozen Pi'
  /** Names its content: 64 hexadecimal digits. */
  id: string
  dir: string
  lastUse: Date
  /** What it takes of the disk, in bytes. */
  bytes: number
}

const places = { image: 'images', 'frozen Pi': 'frozen' } as const

/**
 * The images and frozen Pis of a cache that nothing has used since `before`: no test, no standing Pi, no process that
 * runs now, and no frozen Pi that is kept. Frozen Pis come before the images they are changes to.
 */
export async function unusedEntries(cacheDir: string, before: Date): Promise<CacheEntry[]> {
  const [frozen, images] = await Promise.all([entriesOf(cacheDir, 'frozen Pi'), entriesOf(cacheDir, 'image')])
  const all = [...frozen, ...images]
  const running = await commandLines()
  const kept = all.filter(({ lastUse, id }) => lastUse >= before || running.includes(id))
  // What is kept keeps what its card is a change to.
  for (const entry of kept) {
    const below = await cardsBelow(entry)
    kept.push(...all.filter((other) => below.has(other.id) && !kept.includes(other)))
  }
  return all.filter((entry) => !kept.includes(entry))
}

/** Removes an entry whole: it is out of its place at once, whenever this is interrupted. Throws a `RaspiError`. */
export async function removeEntry(cacheDir: string, { kind, dir }: CacheEntry): Promise<void> {
  // By this name a later run sweeps what an interruption has left.
  const away = join(privateDir(cacheDir, 'tmp'), scratchName('frozen'))
  try {
    await rename(dir, away)
    await rm(away, { recursive: true, force: true })
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code
    throw new RaspiError('image', `The ${kind} in ${dir} could not be removed: ${why}.`, { cause: error })
  }
}

async function entriesOf(cacheDir: string, kind: CacheEntry['kind']): Promise<CacheEntry[]> {
  const place = join(cacheDir, places[kind])
  const ids = (await readdir(place).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name))
  return Promise.all(
    ids.map(async (id) => {
      const dir = join(place, id)
      return { kind, id, dir, lastUse: await lastUse(dir), bytes: await bytesIn(dir) }
    }),
  )
}

async function bytesIn(dir: string): Promise<number> {
  const files = await readdir(dir, { recursive: true })
  const sizes = await Promise.all(files.map((file) => stat(join(dir, file)).catch(() => undefined)))
  return sizes.reduce((sum, stats) => sum + (stats?.blocks ?? 0) * 512, 0)
}

/**
 * The ids that a frozen Pi's card names as what it is a change to. The name of a qcow2 file's backing file is within its
 * first cluster, of 64 KiB: https://www.qemu.org/docs/master/interop/qcow2.html
 */
async function cardsBelow({ kind, dir }: CacheEntry): Promise<Set<string>> {
  if (kind === 'image') return new Set()
  let card: FileHandle | undefined
  try {
    card = await open(join(dir, frozenFiles.card))
    const { buffer, bytesRead } = await card.read(Buffer.alloc(65_536), 0, 65_536, 0)
    return new Set(buffer.toString('latin1', 0, bytesRead).match(/[0-9a-f]{64}/g))
  } catch {
    return new Set()
  } finally {
    await card?.close()
  }
}

/** The command lines of all processes, as one text. QEMU's names the frozen Pi that it runs on. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const texts = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''))
  return (await Promise.all(texts)).join('\n')
}
