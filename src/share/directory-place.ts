import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { scratchName } from '../host/scratch.ts'
import { FilePlace } from './file-place.ts'

/** A share in a directory, such as one that a network file system brings to all machines. */
export class DirectoryPlace extends FilePlace {
  readonly shown: string

  constructor(dir: string) {
    super()
    this.shown = dir
  }

  protected async get(name: string): Promise<Readable | undefined> {
    return (await this.has(name))
      ? createReadStream(join(this.shown, name), { highWaterMark: 2 ** 20 })
      : undefined
  }

  protected async has(name: string): Promise<boolean> {
    try {
      return (await stat(join(this.shown, name))).isFile()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  protected async put(name: string, file: string, signal: AbortSignal): Promise<void> {
    const place = join(this.shown, name)
    await mkdir(dirname(place), { recursive: true })
    // Beside its place: a rename does not lead from one file system to another.
    const temporary = `${place}.${scratchName('new')}`
    try {
      // Not `copyFile`, which nothing ends: on a slow mount it takes minutes.
      const { mode } = await stat(file)
      const reading = createReadStream(file, { highWaterMark: 2 ** 20 })
      await pipeline(reading, createWriteStream(temporary, { flags: 'wx', mode }), { signal })
      await rename(temporary, place)
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async close(): Promise<void> {}
}
