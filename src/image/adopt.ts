import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { phase } from '../host/progress.ts'
import { assertNeeds } from '../host/requirements.ts'
import { sparseDigest } from '../host/sparse-digest.ts'
import { customise } from './customise.ts'
import { type DownloadContext, download } from './download.ts'
import { checkSpace } from './free-space.ts'
import { checkRoot, growCard } from './grow.ts'
import { architectureOf } from './guest-facts.ts'
import { makeHostKeys } from './host-keys.ts'
import { readCardParts } from './parts.ts'
import type { GuestFile } from './recipe.ts'
import type { RemoteImage } from './remote-image.ts'
import { cardFile, type Entry, entryFile, imageId } from './store.ts'
import { Transfer } from './transfer.ts'
import { unpack } from './unpack.ts'
import { writeThrough } from './write-through.ts'

/** An image that somebody else made, and what a test wants of it: all that decides what becomes of it. */
export interface Adoption {
  name: string
  source: { image: RemoteImage } | { file: LocalFile }
  user: string
  publicKey: string
  initFormat: string | undefined
  files: GuestFile[]
}

/** A file of the user's, by its content. */
export interface LocalFile {
  path: string
  sha256: string
  extractedSha256?: string | undefined
  extractedBytes?: number | undefined
}

/** To be raised when what is done to an image changes in a way that an adoption does not show. */
const adoptionVersion = 2

/** Names what an adoption says, whatever the image is called and wherever it comes from: 64 hexadecimal digits. */
export function adoptionId({ name: _, source, ...wishes }: Adoption): string {
  const { sha256 } = 'image' in source ? source.image : source.file
  return createHash('sha256')
    .update(JSON.stringify({ adoptionVersion, bytes: sha256, wishes }))
    .digest('hex')
}

/**
 * Makes a card of an image that somebody else made, in the empty directory `dir`, and gives the directory in it that
 * holds the finished entry. The original stays as it was. Throws a `RaspiError` of kind `image` or `host`.
 */
export async function adoptImage(adoption: Adoption, dir: string, context: DownloadContext): Promise<string> {
  const { name, source, user, publicKey, initFormat } = adoption
  const { log, signal } = context
  // e2fsck and resize2fs come with mke2fs.
  await assertNeeds(['xz', 'mke2fs', 'mcopy', 'qemuImg'])
  const original = 'image' in source ? await download(name, source.image, context) : source.file.path
  const entry = join(dir, 'entry')
  await mkdir(entry)
  const card = join(entry, cardFile)

  await unpackTo(name, source, original, card, context)
  const { boot, root, all } = await readCardParts(name, card)
  const hostKeys = await makeHostKeys(join(dir, 'host-keys'))
  const { cardBytes, architecture } = await phase(log, `Image ${name}: setting it up`, async () => {
    const cardBytes = await growCard(name, card, { root, all }, signal)
    const architecture = await architectureOf(name, card)
    signal?.throwIfAborted()
    const files = [...hostKeys.files, ...adoption.files]
    await customise(
      name,
      card,
      { user, publicKey, initFormat, files, boot, dir: join(dir, 'boot-files') },
      log,
    )
    await checkRoot(name, card, root, signal)
    await writeThrough(card)
    return { cardBytes, architecture }
  })
  const recipe = adoptionId(adoption)
  const description: Entry = {
    ...{ name, recipe, id: imageId(recipe, hostKeys.publicKeys), architecture, user },
    ...{ hostKeys: hostKeys.publicKeys, cardBytes, digest: await sparseDigest(card) },
    source: 'image' in source ? source : { file: source.file.path },
  }
  await writeFile(join(entry, entryFile), `${JSON.stringify(description, undefined, 2)}\n`)
  return entry
}

async function unpackTo(
  name: string,
  source: Adoption['source'],
  original: string,
  card: string,
  { log, signal }: DownloadContext,
): Promise<void> {
  const { extractedBytes, extractedSha256 } = 'image' in source ? source.image : source.file
  // Zeros take no room; how many there are shows only later.
  if (extractedBytes) await checkSpace(name, join(card, '..'), extractedBytes, 'unpacked it needs')
  const transfer = new Transfer()
  const expected = { bytes: extractedBytes, sha256: extractedSha256 }
  await phase(
    log,
    `Image ${name}: unpacking it`,
    () => unpack(name, original, card, expected, { transfer, signal }),
    () => `${transfer}`,
  )
}
