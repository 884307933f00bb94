import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { exclusively } from '../host/lock.ts'
import { privateDir } from '../host/paths.ts'
import { elapsed, type Log } from '../host/progress.ts'
import { abandoned, scratchName } from '../host/scratch.ts'
import { asRoot } from './as-root.ts'
import { buildImage } from './build.ts'
import { recipeOf } from './catalogue.ts'
import type { Architecture, Image } from './image.ts'
import { type ClientKey, clientKey } from './keys.ts'
import { type Recipe, recipeId } from './recipe.ts'
import { cardFile, type Entry, entryDir, readEntry } from './store.ts'

interface Context {
  cacheDir: string
  log: Log
  signal?: AbortSignal | undefined
  /** Called before anything is built, with what the image's programs are for; what it throws is thrown. */
  beforeBuild?: ((architecture: Architecture) => Promise<void>) | undefined
}

/**
 * The image `name` of the catalogue, from the cache or built (minutes). Processes that ask at the same time build it
 * once. Throws a `RaspiError`: of kind `image` where there is no such image or it cannot be built, `cancelled` on abort.
 */
export async function resolveImage(name: string, context: Context): Promise<Image> {
  const { cacheDir, log, signal } = context
  await remove(...abandoned(join(cacheDir, 'tmp'), 'image', 'key'))
  const key = await clientKey(cacheDir)
  const recipe = recipeOf(name, key.publicKey)
  const entry = readEntry(cacheDir, recipeId(recipe))
  if (typeof entry === 'object') return toImage(cacheDir, entry, key)

  try {
    return await exclusively(
      join(cacheDir, 'images'),
      { log, waitingFor: `Image ${name}`, signal },
      async () => {
        const found = readEntry(cacheDir, recipeId(recipe))
        if (typeof found === 'object') return toImage(cacheDir, found, key)
        if (found) log(`Image ${name}: the one in the cache is damaged (${found}), building it again`)
        await context.beforeBuild?.(recipe.architecture)
        const started = performance.now()
        log(`Image ${name}: building it; this takes some minutes, once`)
        const built = await buildInto(recipe, context)
        log(`Image ${name}: ready after ${elapsed(started)}, kept in ${entryDir(cacheDir, built.recipe)}`)
        return toImage(cacheDir, built, key)
      },
    )
  } catch (error) {
    if (signal?.aborted)
      throw new RaspiError('cancelled', `Building image ${name} was cancelled.`, { cause: error })
    throw error
  }
}

/** Builds in a directory of its own and renames: what stands in the cache is whole. */
async function buildInto(recipe: Recipe, { cacheDir, log, signal }: Context): Promise<Entry> {
  const tmp = privateDir(cacheDir, 'tmp')
  const dir = join(tmp, scratchName('image'))
  mkdirSync(dir, { mode: 0o700 })
  try {
    const made = await buildImage(recipe, dir, { log, signal })
    const id = recipeId(recipe)
    const place = entryDir(cacheDir, id)
    // A process that the lock did not keep out may have been faster; its card is already in use.
    if (typeof readEntry(cacheDir, id) !== 'object') {
      if (existsSync(place)) renameSync(place, join(dir, 'damaged'))
      renameSync(made, place)
    }
  } finally {
    await remove(dir)
  }
  const entry = readEntry(cacheDir, recipeId(recipe))
  if (typeof entry === 'object') return entry
  throw new RaspiError(
    'image',
    `Image ${recipe.name} cannot be built: what was written is not there (${entry}).`,
  )
}

/** What a guest's users own can be removed only as root. What cannot be removed now is swept at the next run. */
async function remove(...dirs: string[]): Promise<void> {
  if (dirs.length > 0) await asRoot(['rm', '-rf', '--one-file-system', '--', ...dirs]).catch(() => {})
}

function toImage(
  cacheDir: string,
  { cardBytes: _, recipe, ...entry }: Entry,
  { privateKeyFile }: ClientKey,
): Image {
  return { ...entry, path: join(entryDir(cacheDir, recipe), cardFile), privateKeyFile }
}
