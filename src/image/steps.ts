import type { GuestFile, Recipe } from './recipe.ts'
import type { Steps } from './reference.ts'

/** The files of a user's steps, as the guest gets them. */
export function stepFiles({ files = {} }: Steps): GuestFile[] {
  return Object.entries(files).map(([path, file]) =>
    typeof file === 'string' ? { path, text: file } : { path, mode: file.mode, text: file.content },
  )
}

/** The recipe with a user's steps in it; without any it is the same, and so is the image. */
export function withSteps(recipe: Recipe, steps: Steps): Recipe {
  return {
    ...recipe,
    ...(steps.securityUpdates === false && { securityUpdates: false }),
    packages: [...new Set([...recipe.packages, ...(steps.packages ?? [])])],
    files: [...recipe.files, ...stepFiles(steps)],
  }
}
