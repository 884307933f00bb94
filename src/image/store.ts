import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

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
  if (!existsSync(dir)) return undefined
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
