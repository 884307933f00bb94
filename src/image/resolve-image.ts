import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { markUsed } from '../host/last-use.ts'
import { exclusively } from '../host/lock.ts'
import { privateDir } from '../host/paths.ts'
import { elapsed, type Log } from '../host/progress.ts'
import { assertHost, type Need } from '../host/requirements.ts'
import { abandoned, scratchName } from '../host/scratch.ts'
import type { ImageOption } from '../image-option.ts'
import { type Adoption, adoptImage, adoptionId } from './adopt.ts'
import { asRoot } from './as-root.ts'
import { buildImage } from './build.ts'
import { noteLockFile } from './cache-users.ts'
import { recipeOf } from './catalogue.ts'
import type { Patience } from './download.ts'
import { writeError } from './free-space.ts'
import type { Image } from './image.ts'
import { type ClientKey, clientKey } from './keys.ts'
import { localDigest } from './local-file.ts'
import { recipeId } from './recipe.ts'
import { parseReference, type Reference } from './reference.ts'
import { resolveRemote } from './resolve-remote.ts'
import type { Shelf } from './shelf.ts'
import { stepFiles, withSteps } from './steps.ts'
import { cardFile, type Entry, entryDir, readEntry } from './store.ts'

export interface ImageContext {
  cacheDir: string
  log: Log
  signal?: AbortSignal | undefined
  /** Where relative paths of images begin. @default the working directory */
  baseDir?: string | undefined
  /** Where `latest` is pinned; where there is none, it is asked for anew each time. */
  lockFile?: string | undefined
  /** Asks anew what `latest` is, and pins that, and what a URL has. */
  update?: boolean | undefined
  patience?: Partial<Patience> | undefined
  /** What this host need not have to make one. */
  without?: readonly Need[] | undefined
  /** What other machines have made. @default nothing */
  shelf?: Shelf | undefined
}

/** How an image that is not in the cache is made. */
interface Making {
  name: string
  /** Names what it is made by. */
  id: string
  /** What is done, for people. */
  verb: 'building' | 'fetching'
  /** Makes it in the empty directory `dir` and gives the directory in it that becomes the entry. */
  make(dir: string): Promise<string>
}

/**
 * The image that `option` means, from the cache or made: built, or downloaded and set up (minutes). Processes that ask
 * at the same time make it once. Throws a `RaspiError`: of kind `options` or `image` where there is no such image or it
 * cannot be had, `cancelled` on abort.
 */
export async function resolveImage(option: ImageOption, context: ImageContext): Promise<Image> {
  const { cacheDir, log, signal } = context
  const reference = parseReference(option, context.baseDir)
  const { name } = reference
  try {
    await remove(...abandoned(join(cacheDir, 'tmp'), 'image', 'key', 'download'))
    const key = await clientKey(cacheDir, context.shelf)
    await context.shelf?.joinKey(key.privateKeyFile, signal)
    const making = await makingOf(reference, key, context)
    // A file of this machine is mostly nobody else's.
    const shelf = reference.kind === 'file' ? undefined : context.shelf
    const entry = readEntry(cacheDir, making.id)
    if (typeof entry === 'object') {
      shelf?.offerImage(making.id, entryDir(cacheDir, making.id))
      return toImage(cacheDir, entry, key)
    }
    return await exclusively(
      join(cacheDir, 'images'),
      { log, waitingFor: `Image ${name}`, signal },
      async () => {
        const found = readEntry(cacheDir, making.id)
        if (typeof found === 'object') return toImage(cacheDir, found, key)
        if (found) log(`Image ${name}: the one in the cache is damaged (${found}), making it again`)
        const shared = found ? undefined : await fetchInto(making.id, cacheDir, shelf, signal)
        if (shared) {
          log(`Image ${name}: fetched, another machine has made it`)
          return toImage(cacheDir, shared, key)
        }
        const started = performance.now()
        log(`Image ${name}: ${making.verb} it; this takes some minutes, once`)
        const made = await makeInto(making, cacheDir)
        shelf?.offerImage(making.id, entryDir(cacheDir, made.recipe))
        log(`Image ${name}: ready after ${elapsed(started)}, kept in ${entryDir(cacheDir, made.recipe)}`)
        return toImage(cacheDir, made, key)
      },
    )
  } catch (error) {
    if (signal?.aborted)
      throw new RaspiError('cancelled', `Making image ${name} was cancelled.`, { cause: error })
    throw writeError(name, cacheDir, error)
  }
}

async function makingOf(reference: Reference, key: ClientKey, context: ImageContext): Promise<Making> {
  const { name, steps } = reference
  if (reference.kind === 'recipe') {
    const recipe = withSteps(recipeOf(name, key.publicKey), steps)
    const { cacheDir, without } = context
    const make = async (dir: string) => {
      await assertHost(
        ['build'],
        { cacheDir },
        { architecture: recipe.architecture, ...(without && { without }) },
      )
      return buildImage(recipe, dir, context)
    }
    return { name, id: recipeId(recipe), verb: 'building', make }
  }
  const adoption: Adoption = {
    name: reference.kind === 'raspios' ? `${name}@${reference.release}` : name,
    ...(await originOf(reference, context)),
    user: reference.user ?? 'pi',
    publicKey: key.publicKey,
    files: stepFiles(steps),
  }
  const make = (dir: string) => adoptImage(adoption, dir, context)
  return { name: adoption.name, id: adoptionId(adoption), verb: 'fetching', make }
}

async function originOf(
  reference: Exclude<Reference, { kind: 'recipe' }>,
  context: ImageContext,
): Promise<Pick<Adoption, 'source' | 'initFormat'>> {
  if (reference.kind === 'file') {
    const { file: path, extractedSha256, extractedBytes, initFormat } = reference
    const sha256 = await localDigest(reference.name, reference, context)
    return { source: { file: { path, sha256, extractedSha256, extractedBytes } }, initFormat }
  }
  if (context.lockFile) noteLockFile(context.cacheDir, context.lockFile)
  const image = await resolveRemote(reference, { ...context, retryMs: context.patience?.retryMs })
  return { source: { image }, initFormat: image.initFormat }
}

/** Fetches the image of a recipe into the cache, where a shelf has it. */
async function fetchInto(
  id: string,
  cacheDir: string,
  shelf: Shelf | undefined,
  signal: AbortSignal | undefined,
): Promise<Entry | undefined> {
  if (!shelf) return undefined
  const dir = join(privateDir(cacheDir, 'tmp'), scratchName('image'))
  if (!(await shelf.fetchImage(id, dir, signal))) return undefined
  privateDir(cacheDir, 'images')
  renameSync(dir, entryDir(cacheDir, id))
  const entry = readEntry(cacheDir, id)
  return typeof entry === 'object' ? entry : undefined
}

/** Makes it in a directory of its own and renames: what stands in the cache is whole. */
async function makeInto({ name, id, make }: Making, cacheDir: string): Promise<Entry> {
  const tmp = privateDir(cacheDir, 'tmp')
  const dir = join(tmp, scratchName('image'))
  mkdirSync(dir, { mode: 0o700 })
  try {
    const made = await make(dir)
    const place = entryDir(cacheDir, id)
    // A process that the lock did not keep out may have been faster; its card is already in use.
    if (typeof readEntry(cacheDir, id) !== 'object') {
      if (existsSync(place)) renameSync(place, join(dir, 'damaged'))
      renameSync(made, place)
    }
  } finally {
    await remove(dir)
  }
  const entry = readEntry(cacheDir, id)
  if (typeof entry === 'object') return entry
  throw new RaspiError('image', `Image ${name} cannot be kept: what was written is not there (${entry}).`)
}

/**
 * Removes directories. What a guest's users own can be removed only as root, which not every host lets us be. What cannot
 * be removed now is swept at the next run.
 */
async function remove(...dirs: string[]): Promise<void> {
  const removed = await Promise.allSettled(dirs.map((dir) => rm(dir, { recursive: true, force: true })))
  const left = dirs.filter((_, index) => removed[index]?.status === 'rejected')
  if (left.length > 0) await asRoot(['rm', '-rf', '--one-file-system', '--', ...left]).catch(() => {})
}

async function toImage(
  cacheDir: string,
  { name, id, architecture, user, hostKeys, cardBytes, recipe }: Entry,
  { privateKeyFile }: ClientKey,
): Promise<Image> {
  await markUsed(entryDir(cacheDir, recipe))
  const path = join(entryDir(cacheDir, recipe), cardFile)
  return { name, id, path, cardBytes, architecture, user, privateKeyFile, hostKeys }
}
