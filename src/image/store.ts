import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { remoteImageSchema } from './remote-image.ts'

/** What `image.json` says about the card next to it. */
const entrySchema = z.object({
  name: z.string(),
  /** The recipe's id: where the entry is kept. */
  recipe: z.string(),
  id: z.string(),
  architecture: z.enum(['arm64', 'armhf', 'armel']),
  user: z.string(),
  hostKeys: z.array(z.string()).min(1),
  cardBytes: z.int().positive(),
  /** The card's sparse digest, for whoever verifies the cache. Absent in what the first version made. */
  digest: z.string().optional(),
  /** What it was made of, where it was not built. */
  source: z.object({ image: remoteImageSchema.optional(), file: z.string().optional() }).optional(),
})

export type Entry = z.output<typeof entrySchema>

/**
 * The id of an image: of its recipe and its host keys, which no other build has. A frozen Pi is a change to one card:
 * it must not be taken for one of the card that the same recipe gave later.
 */
export function imageId(recipe: string, hostKeys: string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([recipe, hostKeys]))
    .digest('hex')
}

export const cardFile = 'card.raw'
export const entryFile = 'image.json'

/** Where the image of the recipe with the id `recipe` is kept. */
export function entryDir(cacheDir: string, recipe: string): string {
  return join(cacheDir, 'images', recipe)
}

/** Reads the image of a recipe: its entry, `undefined` where there is none, or a sentence where it is damaged. */
export function readEntry(cacheDir: string, recipe: string): Entry | string | undefined {
  const dir = entryDir(cacheDir, recipe)
  return existsSync(dir) ? readEntryIn(dir, recipe) : undefined
}

/** Reads the image of a recipe in the directory `dir`: its entry, or a sentence where it is none. */
export function readEntryIn(dir: string, recipe: string): Entry | string {
  try {
    const entry = entrySchema.parse(JSON.parse(readFileSync(join(dir, entryFile), 'utf8')))
    const { size } = statSync(join(dir, cardFile))
    if (entry.recipe !== recipe) return `${entryFile} is of another image`
    if (size !== entry.cardBytes) return `${cardFile} has ${size} bytes and not ${entry.cardBytes}`
    return entry
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `${entryFile} or ${cardFile} is missing`
    return `${entryFile} cannot be read`
  }
}

/** The ids of all recipes of which the cache has an image, be it damaged. */
export function listRecipes(cacheDir: string): string[] {
  const dir = join(cacheDir, 'images')
  return existsSync(dir) ? readdirSync(dir).filter((name) => /^[0-9a-f]{64}$/.test(name)) : []
}

/** The images of the cache that are whole, as far as their descriptions tell. */
export function listEntries(cacheDir: string): Entry[] {
  return listRecipes(cacheDir)
    .map((recipe) => readEntry(cacheDir, recipe))
    .filter((entry) => typeof entry === 'object')
}
