import { createHash } from 'node:crypto'
import { readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import { fileDigest } from '../host/file-digest.ts'
import { parsedJson } from '../host/json.ts'
import { privateDir } from '../host/paths.ts'
import type { Log } from '../host/progress.ts'
import type { LocalImage } from '../image-option.ts'

/** From when on people are told that a file is read, in ms. */
const noticeableMs = 2_000

/**
 * What the cache remembers of a file of the user's: its SHA-256, and what tells that it is still the same. The time of its
 * content says little: reproducible builds and copies set it.
 */
const noteSchema = z.object({
  ...{ path: z.string(), realPath: z.string(), inode: z.number(), bytes: z.number() },
  ...{ modified: z.number(), changed: z.number(), sha256: z.string() },
})

/**
 * The SHA-256 of a file of the user's that is called `name`; its bytes are read where the cache does not remember it. Throws a
 * `RaspiError` where there is no such file, or it is not the one whose SHA-256 is given.
 */
export async function localDigest(
  name: string,
  { file: path, sha256 }: Pick<LocalImage, 'file' | 'sha256'>,
  context: { cacheDir: string; log: Log; signal?: AbortSignal | undefined },
): Promise<string> {
  const stats = await stat(path).catch(() => undefined)
  if (!stats?.isFile())
    throw new RaspiError('image', `Image ${name} cannot be had: there is no file ${path}.`)
  const { ino: inode, size: bytes, mtimeMs: modified, ctimeMs: changed } = stats
  const seen = { path, realPath: await realpath(path), inode, bytes, modified, changed }
  const sum = await digestOf(name, seen, context)
  if (sha256 === undefined || sum === sha256) return sum
  throw new RaspiError(
    'image',
    `Image ${name} is not used: ${path} has the SHA-256 ${sum}, and should have ${sha256}.`,
  )
}

async function digestOf(
  name: string,
  seen: Omit<z.output<typeof noteSchema>, 'sha256'>,
  { cacheDir, log, signal }: { cacheDir: string; log: Log; signal?: AbortSignal | undefined },
): Promise<string> {
  const { path } = seen
  const note = join(cacheDir, 'files', createHash('sha256').update(path).digest('hex').slice(0, 16))
  const known = noteSchema.safeParse(parsedJson(await readFile(note, 'utf8').catch(() => ''))).data
  if (known && Object.entries(seen).every(([key, value]) => known[key as keyof typeof seen] === value))
    return known.sha256
  const notice = setTimeout(
    () => log(`Image ${name}: reading ${path}, to know it by its content`),
    noticeableMs,
  )
  try {
    const digest = await fileDigest(path, signal)
    await remember(note, { ...seen, sha256: digest })
    return digest
  } finally {
    clearTimeout(notice)
  }
}

/** A cache that cannot be written remembers nothing. */
async function remember(note: string, what: z.output<typeof noteSchema>): Promise<void> {
  try {
    privateDir(note, '..')
    await writeFile(note, JSON.stringify(what))
  } catch {}
}
