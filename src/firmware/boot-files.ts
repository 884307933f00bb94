import { FileDisk, withOpenFile } from 'file-disk'
import { messageOf, RaspiError } from '../errors.ts'
import { cardFiles } from '../image/card-files.ts'

/** The files of a card's boot part. Paths are those of config.txt: `overlays/README`, or `/overlays/README`. */
export interface BootFiles {
  /** The content of a file, or undefined where there is no such file. */
  read(path: string): Promise<Buffer | undefined>
  /** The names in the uppermost directory. */
  list(): Promise<string[]>
}

/** Where a boot part is. */
export interface BootSource {
  /** A raw file: a whole card, or its boot part alone. */
  path: string
  /** The boot part's number where `path` is a whole card: 1. */
  partition?: number
}

/** How fatfs says that there is no such file. */
const absent = ['NOENT', 'NOTDIR', 'ISDIR']

/** Lets `use` read the boot part of `source`. Throws a `RaspiError` where there is no FAT file system. */
export async function withBootFiles<T>(
  source: BootSource,
  use: (files: BootFiles) => Promise<T>,
): Promise<T> {
  const { path, partition } = source
  const { interact } = await cardFiles()
  let outcome: { value: T } | { error: unknown } | undefined
  try {
    await withOpenFile(path, 'r', (handle) =>
      interact(new FileDisk(handle, true), partition, async ({ promises: fs }) => {
        const read = (name: string) =>
          fs.readFile(name.startsWith('/') ? name : `/${name}`).catch(unlessAbsent)
        // An error of `use` is none of the boot part's, and comes out as it is.
        outcome = await use({ read, list: async () => (await fs.readdir('/')).map(shown) }).then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        )
      }),
    )
  } catch (error) {
    throw unreadable(error)
  }
  if (outcome && 'value' in outcome) return outcome.value
  throw outcome?.error
}

/** A name that fits in 8.3 is kept in capitals, whatever it was written in; FAT takes it either way. */
const shown = (name: string) => (name === name.toUpperCase() ? name.toLowerCase() : name)

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (!absent.includes(error.code ?? '')) throw unreadable(error)
}

function unreadable(cause: unknown): RaspiError {
  return new RaspiError('firmware', `The card's boot part cannot be read: ${messageOf(cause)}`, {
    hint: 'A Pi boots from partition 1 of its card, which must be FAT32 in an MBR partition table.',
    cause,
  })
}

/** The path of an operating system file: https://www.raspberrypi.com/documentation/computers/config_txt.html#os_prefix */
export function prefixed(prefix: string, name: string): string {
  return name.startsWith('/') ? name : prefix + name
}
