import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { messageOf } from '../errors.ts'
import type { Image } from '../image/image.ts'
import type { Board } from '../machine/boards.ts'
import { sparseDigest } from './digest.ts'

/** A booted Pi that stands still: card, RAM and the state of the devices. Immutable. */
export interface FrozenPi {
  id: string
  dir: string
  image: Image
  board: Board
  /** The files, by their names in {@link frozenFiles}, as absolute paths. */
  files: Record<FrozenFile, string>
  /** The kernel's command line it was booted with. */
  commandLine: string
  /** How long it took to boot until systemd was done, in ms. Not known of those of earlier versions. */
  coldBootMs?: number | undefined
  /** The size of all files on the disk, in bytes. */
  diskBytes: number
}

export const frozenFiles = { card: 'card.qcow2', ram: 'ram', state: 'state' } as const
export type FrozenFile = keyof typeof frozenFiles
const manifestFile = 'frozen.json'

const manifestSchema = z.object({
  id: z.string(),
  commandLine: z.string(),
  coldBootMs: z.number().optional(),
  files: z.record(z.enum(['card', 'ram', 'state']), z.object({ size: z.int(), sha256: z.string() })),
})
export type Manifest = z.output<typeof manifestSchema>

/** Everything that decides whether a frozen Pi can be used: the same answers, the same frozen Pi. */
export interface FreezeKey {
  image: string
  board: string
  /** As `qemu-system-aarch64 --version` tells it, build included: a state is read only by the QEMU that wrote it. */
  qemuVersion: string
  /** The boot options. */
  kernelParameters: readonly string[]
}

/** To be raised when what the freezing does to a Pi changes: warm-up, service shell, machine options. */
const freezeVersion = 7

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
 * Reads a frozen Pi and checks every byte of it against its manifest. Gives `undefined` where there is none, and a
 * sentence that says what is wrong where it is damaged.
 */
export async function readFrozen(
  cacheDir: string,
  id: string,
  image: Image,
  board: Board,
): Promise<FrozenPi | string | undefined> {
  const dir = frozenDir(cacheDir, id)
  if (!(await stat(dir).catch(() => undefined))) return undefined
  try {
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(dir, manifestFile), 'utf8')))
    if (manifest.id !== id) return `${manifestFile} is of another frozen Pi`
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
    return frozenAt(dir, manifest, image, board)
  } catch (error) {
    return messageOf(error)
  }
}

/** The frozen Pi that `manifest` describes, its files in `dir`. */
export async function frozenAt(
  dir: string,
  manifest: Manifest,
  image: Image,
  board: Board,
): Promise<FrozenPi> {
  const paths = Object.entries(frozenFiles).map(([name, file]) => [name, join(dir, file)])
  const files = Object.fromEntries(paths) as FrozenPi['files']
  const sizes = await Promise.all(Object.values(files).map((file) => stat(file)))
  const diskBytes = sizes.reduce((total, { blocks }) => total + blocks * 512, 0)
  const { commandLine, coldBootMs } = manifest
  return { id: manifest.id, dir, image, board, files, commandLine, coldBootMs, diskBytes }
}

export { manifestFile }
