import { createHash } from 'node:crypto'
import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { privateDir } from '../host/paths.ts'

const sidecarSchema = z.object({ url: z.string(), validator: z.string() })

/**
 * The beginning of a download, kept for whoever goes on with it: another attempt, or another process. Beside it stands
 * what tells whether the server still has the same: its ETag, or the date of its last change.
 */
export class PartFile {
  readonly path: string
  readonly #sidecar: string
  readonly #url: string
  bytes = 0
  /** For If-Range: https://www.rfc-editor.org/rfc/rfc9110#field.if-range */
  validator: string | undefined

  private constructor(dir: string, url: string) {
    this.#url = url
    this.path = join(dir, `${createHash('sha256').update(url).digest('hex')}.part`)
    this.#sidecar = `${this.path}.json`
  }

  /** The part of `url` in `dir`; a new one where there is none that can be gone on with. */
  static async open(dir: string, url: string): Promise<PartFile> {
    const part = new PartFile(privateDir(dir), url)
    try {
      const sidecar = sidecarSchema.parse(JSON.parse(await readFile(part.#sidecar, 'utf8')))
      if (sidecar.url === url) {
        part.bytes = (await stat(part.path)).size
        part.validator = sidecar.validator
      }
    } catch {
      // Half a sidecar, or none.
    }
    return part
  }

  /** Begins anew, with what the server calls the thing now; without that nobody can go on with it later. */
  async restart(validator: string | undefined): Promise<void> {
    await this.remove()
    await writeFile(this.path, '', { mode: 0o600 })
    this.validator = validator
    if (validator)
      await writeFile(this.#sidecar, JSON.stringify({ url: this.#url, validator }), { mode: 0o600 })
  }

  /** Appends all that `chunks` gives. */
  async append(chunks: AsyncIterable<Buffer>): Promise<void> {
    const file = await open(this.path, 'a')
    try {
      for await (const chunk of chunks) await this.#write(file, chunk)
    } finally {
      await file.close()
    }
  }

  async #write(file: FileHandle, chunk: Buffer) {
    for (let offset = 0; offset < chunk.length; ) {
      const { bytesWritten } = await file.write(chunk, offset)
      offset += bytesWritten
      this.bytes += bytesWritten
    }
  }

  /** Leaves nothing of it. */
  async remove(): Promise<void> {
    this.bytes = 0
    this.validator = undefined
    await rm(this.#sidecar, { force: true })
    await rm(this.path, { force: true })
  }
}
