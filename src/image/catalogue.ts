import { RaspiError } from '../errors.ts'
import { debian12arm64, debian12armhf } from './debian-12.ts'
import type { Recipe } from './recipe.ts'

const catalogue = new Map<string, (publicKey: string) => Recipe>([
  ['debian-12-arm64', debian12arm64],
  ['debian-12-armhf', debian12armhf],
])

/** The recipe of the image `name` into which `publicKey` may log in. Throws where there is no such image. */
export function recipeOf(name: string, publicKey: string): Recipe {
  const recipe = catalogue.get(name)
  if (recipe) return recipe(publicKey)
  throw new RaspiError('image', `Image "${name}" is not known.`, {
    hint: `There is: ${[...catalogue.keys()].join(', ')}.`,
  })
}

/** The names of all images that are built here. */
export function recipeNames(): string[] {
  return [...catalogue.keys()]
}
