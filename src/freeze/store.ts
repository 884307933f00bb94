import { createHash } from 'node:crypto'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as z from 'zod'
import { messageOf } from '../errors.ts'
import { parsedJson } from '../host/json.ts'
import { markUsed } from '../host/last-use.ts'
import { sparseDigest } from '../host/sparse-digest.ts'
import type { Image } from '../image/image.ts'
import type { Board } from '../machine/boards.ts'

/** A booted Pi that stands still: card, RAM and the state of the devices. Immutable. */
export interface FrozenPi {
  id: string
  /** The id of the frozen Pi that its card lies on, where that is not the image itself: it is a layer then. */
  parent?: string | undefined
  /** Names what is on its card: one that is made again has another, though its id is the same. */
  cardDigest: string
  /** Where its files are; of a container image where that has them. */
  dir: string
  /** The container image that has its files, where this is not the host. */
  container?: string | undefined
  /** A public key that its image's user does not accept yet, and that a thawed one has to. */
  newKey?: string | undefined
  image: Image
  board: Board
  /** The files, by their names in {@link frozenFiles}, as absolute paths. */
  files: Record<FrozenFile, string>
  /** The kernel's command line it was booted with. */
  commandLine: string
  /** How long it took to boot until systemd was done, in ms. Not known of those of earlier versions. */
  coldBootMs?: number | undefined
  /** What its boot part asks for and it has not got, a sentence each. */
  notEmulated: string[]
  /** The size of all files on the disk, in bytes, where they are on this host's. */
  diskBytes?: number | undefined
}

export const frozenFiles = { card: 'card.qcow2', ram: 'ram', state: 'state' } as const
export type FrozenFile = keyof typeof frozenFiles
export const manifestFile = 'frozen.json'

const keySchema = z.object({
  image: z.string(),
  board: z.string(),
  /** As `qemu-system-aarch64 --version` tells it, build included: a state is read only by the QEMU that wrote it. */
  qemuVersion: z.string(),
  /** The boot options. */
  kernelParameters: z.array(z.string()).readonly(),
})

/** Everything that decides whether a frozen Pi of an image can be used: the same answers, the same frozen Pi. */
export type FreezeKey = z.output<typeof keySchema>

export const manifestSchema = z.object({
  id: z.string(),
  commandLine: z.string(),
  coldBootMs: z.number().optional(),
  notEmulated: z.array(z.string()),
  files: z.record(z.enum(['card', 'ram', 'state']), z.object({ size: z.int(), sha256: z.string() })),
  /** Of a Pi of an image. */
  key: keySchema.optional(),
  /** Of a layer: the frozen Pi it lies on. */
  parent: z.string().optional(),
  /** Of a layer, for people: what was done, to which host. */
  prepared: z.object({ playbook: z.string(), host: z.string() }).optional(),
})
export type Manifest = z.output<typeof manifestSchema>

/** The key of the frozen Pi of an image, by its id, on `board`. */
export function freezeKeyOf(image: string, { id, kernelParameters }: Board, qemuVersion: string): FreezeKey {
  return { image, board: id, qemuVersion, kernelParameters }
}

/** To be raised when what the freezing does to a Pi changes: warm-up, service shell, machine options. */
const freezeVersion = 9

/** Names the frozen Pi of a key: 64 hexadecimal digits. */
export function frozenId(key: FreezeKey): string {
  return createHash('sha256').update(JSON.stringify({ freezeVersion, key })).digest('hex')
}

/** Where the frozen Pi `id` is kept. */
export function frozenDir(cacheDir: string, id: string): string {
  return join(cacheDir, 'frozen', id)
}

/** Describes the files below `dir` for its manifest. */
export async function describeFiles(dir: string): Promise<Manifest['files']> {
  const entries = Object.entries(frozenFiles).map(async ([name, file]) => {
    const path = join(dir, file)
    return [name, { size: (await stat(path)).size, sha256: await sparseDigest(path) }] as const
  })
  return Object.fromEntries(await Promise.all(entries)) as Manifest['files']
}

/**
 * What may be done with a file of a frozen Pi. QEMU before 8.2 opens the RAM's for writing, though it writes nothing: only root
 * may that where nobody may write to it.
 */
const modeOf = (file: string) => (file === frozenFiles.ram ? 0o600 : 0o400)

/** Makes the files in `dir` a frozen Pi: writes its manifest, and nobody may write to any of them from then on. */
export async function sealFrozen(dir: string, about: Omit<Manifest, 'files'>): Promise<Manifest> {
  const manifest: Manifest = { ...about, files: await describeFiles(dir) }
  await writeFile(join(dir, manifestFile), JSON.stringify(manifest, null, 2))
  for (const file of [...Object.values(frozenFiles), manifestFile]) await chmod(join(dir, file), modeOf(file))
  return manifest
}

/** The manifest that `text` is, where it is of the frozen Pi `id` on `parent`; else a sentence that says what is wrong. */
export function manifestOf(text: string, id: string, parent: string | undefined): Manifest | string {
  const manifest = manifestSchema.safeParse(parsedJson(text)).data
  if (!manifest) return `${manifestFile} is none`
  if (manifest.id !== id) return `${manifestFile} is of another frozen Pi`
  if (manifest.parent !== parent) return `${manifestFile} says that it lies on another frozen Pi`
  return manifest
}

/**
 * Reads a frozen Pi and checks every byte of it against its manifest; one with a `parent` must lie on that. Gives
 * `undefined` where there is none, and a sentence that says what is wrong where it is damaged. Sees to it that QEMU can open
 * it, and notes that it is used.
 */
export async function readFrozen(
  cacheDir: string,
  id: string,
  image: Image,
  board: Board,
  parent?: string,
): Promise<FrozenPi | string | undefined> {
  const dir = frozenDir(cacheDir, id)
  if (!(await stat(dir).catch(() => undefined))) return undefined
  try {
    const text = await readFile(join(dir, manifestFile), 'utf8')
    const manifest = manifestOf(text, id, parent)
    if (typeof manifest === 'string') return manifest
    for (const [name, file] of Object.entries(frozenFiles) as [FrozenFile, string][]) {
      const { size } = await stat(join(dir, file))
      if (size !== manifest.files[name].size)
        return `${file} has ${size} bytes and not ${manifest.files[name].size}`
    }
    const found = await describeFiles(dir)
    for (const [name, file] of Object.entries(frozenFiles) as [FrozenFile, string][]) {
      if (found[name].sha256 !== manifest.files[name].sha256)
        return `${file} is not what was written: its SHA-256 is ${found[name].sha256}`
    }
    await letRamBeOpened(join(dir, frozenFiles.ram))
    await markUsed(dir)
    return await frozenAt(dir, manifest, image, board)
  } catch (error) {
    const { code, path = '' } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? `${basename(path)} is missing` : messageOf(error)
  }
}

/** What a share brings nobody may write to. Best effort: of a cache that is somebody else's nothing can be changed. */
async function letRamBeOpened(ram: string): Promise<void> {
  const { mode } = await stat(ram)
  if (!(mode & 0o200)) await chmod(ram, modeOf(frozenFiles.ram)).catch(() => {})
}

/** The frozen Pi that `manifest` describes, its files in `dir` of this host. */
export async function frozenAt(
  dir: string,
  manifest: Omit<Manifest, 'files'> & Partial<Manifest>,
  image: Image,
  board: Board,
): Promise<FrozenPi> {
  const frozen = frozenIn(dir, manifest, image, board)
  const sizes = await Promise.all(Object.values(frozen.files).map((file) => stat(file)))
  return { ...frozen, diskBytes: sizes.reduce((total, { blocks }) => total + blocks * 512, 0) }
}

/** The same where the files are not of this host. */
export function frozenIn(
  dir: string,
  {
    id,
    parent,
    commandLine,
    coldBootMs,
    notEmulated,
    files: described,
  }: Omit<Manifest, 'files'> & Partial<Manifest>,
  image: Image,
  board: Board,
): FrozenPi {
  const paths = Object.entries(frozenFiles).map(([name, file]) => [name, join(dir, file)])
  const files = Object.fromEntries(paths) as FrozenPi['files']
  const cardDigest = described?.card.sha256 ?? id
  return { id, parent, cardDigest, dir, image, board, files, commandLine, coldBootMs, notEmulated }
}

/**
 * The QEMU versions, if any, on which frozen Pis in the cache were made that but for them would be the one of `key`.
 */
export async function otherVersions(cacheDir: string, key: FreezeKey): Promise<string[]> {
  const names = await readdir(join(cacheDir, 'frozen')).catch(() => [])
  const versions = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(cacheDir, 'frozen', name, manifestFile), 'utf8').catch(() => '{}')
      const { key: made } = z.object({ key: keySchema.optional() }).safeParse(parsedJson(text)).data ?? {}
      if (!made || made.qemuVersion === key.qemuVersion) return []
      return frozenId({ ...made, qemuVersion: key.qemuVersion }) === frozenId(key) ? [made.qemuVersion] : []
    }),
  )
  return [...new Set(versions.flat())].sort()
}
