import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Log, phase } from '../host/progress.ts'
import { sparseDigest } from '../host/sparse-digest.ts'
import { asRoot } from './as-root.ts'
import { assembleCard } from './card.ts'
import { checkSpace } from './free-space.ts'
import { hookScript, stageFiles } from './hooks.ts'
import { makeHostKeys } from './host-keys.ts'
import { installDebian } from './mmdebstrap.ts'
import { type Recipe, recipeId } from './recipe.ts'
import { cardFile, type Entry, entryFile, imageId } from './store.ts'
import { writeThrough } from './write-through.ts'

/** What a build takes at its height, in bytes: unpacked packages, downloads, and the card. */
const neededBytes = 3e9

/**
 * Builds the image of `recipe` in the empty directory `dir` and gives the directory in it that holds the finished entry
 * (card and description), ready to be renamed into the cache. Says what it does through `log`, phase by phase.
 * The host has to have what a build needs: `assertHost`. Throws a `RaspiError` of kind `image`, and the reason of an abort.
 */
export async function buildImage(
  recipe: Recipe,
  dir: string,
  { log, signal }: { log: Log; signal?: AbortSignal | undefined },
): Promise<string> {
  await checkSpace(recipe.name, dir, neededBytes, 'a build needs')
  const root = join(dir, 'root')
  const entry = join(dir, 'entry')
  await mkdir(entry)
  const hostKeys = await makeHostKeys(join(dir, 'host-keys'))

  const early = await stageFiles(join(dir, 'early-files'), [...recipe.earlyFiles, ...hostKeys.files])
  const late = await stageFiles(join(dir, 'files'), recipe.files)
  const hooks = { essential: join(dir, 'essential.sh'), customize: join(dir, 'customize.sh') }
  await writeFile(hooks.essential, hookScript(early, recipe.prepare), { mode: 0o755 })
  await writeFile(hooks.customize, hookScript(recipe.users, late, recipe.finish), { mode: 0o755 })

  await installDebian(recipe, root, hooks, { log, signal })

  const card = join(entry, cardFile)
  await phase(log, `Image ${recipe.name}: writing the card`, async () => {
    await assembleCard(recipe, root, card, signal)
    await asRoot(['rm', '-rf', '--one-file-system', root], { signal })
    await writeThrough(card)
  })
  const description: Entry = {
    name: recipe.name,
    recipe: recipeId(recipe),
    id: imageId(recipeId(recipe), hostKeys.publicKeys),
    architecture: recipe.architecture,
    user: recipe.user,
    hostKeys: hostKeys.publicKeys,
    cardBytes: recipe.layout.cardBytes,
    digest: await sparseDigest(card),
  }
  await writeFile(join(entry, entryFile), `${JSON.stringify(description, undefined, 2)}\n`)
  return entry
}
