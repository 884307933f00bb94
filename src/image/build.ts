import { chmod, mkdir, open, readFile, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { type Log, phase } from '../host/progress.ts'
import { asRoot } from './as-root.ts'
import { assembleCard } from './card.ts'
import { hookScript, stageFiles } from './hooks.ts'
import { checkHost } from './host-tools.ts'
import { keygen } from './keys.ts'
import { installDebian } from './mmdebstrap.ts'
import { type GuestFile, type Recipe, recipeId } from './recipe.ts'
import { cardFile, type Entry, entryFile, imageId } from './store.ts'

/** What a build takes at its height, in bytes: unpacked packages, downloads, and the card. */
const neededBytes = 3e9

/**
 * Builds the image of `recipe` in the empty directory `dir` and gives the directory in it that holds the finished entry
 * (card and description), ready to be renamed into the cache. Says what it does through `log`, phase by phase.
 * Throws a `RaspiError` of kind `image` or `host`, and the reason of an abort.
 */
export async function buildImage(
  recipe: Recipe,
  dir: string,
  { log, signal }: { log: Log; signal?: AbortSignal | undefined },
): Promise<string> {
  await checkHost(recipe.name)
  await checkSpace(recipe.name, dir)
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
  }
  await writeFile(join(entry, entryFile), `${JSON.stringify(description, undefined, 2)}\n`)
  return entry
}

async function checkSpace(name: string, dir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dir)
  if (bavail * bsize >= neededBytes) return
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  throw new RaspiError(
    'image',
    `Image ${name} cannot be built: ${dir} has ${gigabytes(bavail * bsize)} free, a build needs ${gigabytes(neededBytes)}.`,
    { hint: 'Make room, or set VITEST_RASPI_CACHE to a directory on another disk.' },
  )
}

/** Made here and not in the guest, so that they are known before the first connection. */
async function makeHostKeys(dir: string): Promise<{ files: GuestFile[]; publicKeys: string[] }> {
  await mkdir(dir)
  const files: GuestFile[] = []
  const publicKeys: string[] = []
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    const file = join(dir, type)
    await keygen(type, file, 'root@raspberrypi')
    const path = `/etc/ssh/ssh_host_${type}_key`
    const publicKey = await readFile(`${file}.pub`, 'utf8')
    files.push(
      { path, mode: '0600', text: await readFile(file, 'utf8') },
      { path: `${path}.pub`, text: publicKey },
    )
    publicKeys.push(publicKey.split(' ', 2).join(' '))
  }
  return { files, publicKeys }
}

/** Brings `file` onto the disk, so that after a power cut it is whole or not in the cache; then it never changes. */
async function writeThrough(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  await handle.sync()
  await handle.close()
  await chmod(file, 0o444)
}
