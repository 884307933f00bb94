import type { FileHandle } from 'node:fs/promises'

const blockBytes = 64 * 1024
const bufferBytes = 64 * blockBytes
const zeros = Buffer.alloc(blockBytes)

/** Writes a stream to a new file and leaves out what is all zeros, 64 KiB at a time: an image is mostly that. */
export class SparseWriter {
  readonly #file: FileHandle
  readonly #buffer = Buffer.alloc(bufferBytes)
  #filled = 0
  /** Where the buffer's content goes. */
  #position = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      const copied = chunk.copy(this.#buffer, this.#filled, offset)
      this.#filled += copied
      offset += copied
      if (this.#filled === bufferBytes) await this.#flush()
    }
  }

  /** Writes what is left; a file that ends in zeros has its size all the same. */
  async end(): Promise<void> {
    await this.#flush()
    await this.#file.truncate(this.#position)
  }

  async #flush() {
    let start: number | undefined
    for (let offset = 0; offset < this.#filled; offset += blockBytes) {
      const block = this.#buffer.subarray(offset, Math.min(offset + blockBytes, this.#filled))
      const empty = block.equals(zeros.subarray(0, block.length))
      if (empty && start !== undefined) await this.#put(start, offset)
      start = empty ? undefined : (start ?? offset)
    }
    if (start !== undefined) await this.#put(start, this.#filled)
    this.#position += this.#filled
    this.#filled = 0
  }

  async #put(start: number, end: number) {
    for (let offset = start; offset < end; ) {
      const { bytesWritten } = await this.#file.write(
        this.#buffer,
        offset,
        end - offset,
        this.#position + offset,
      )
      offset += bytesWritten
    }
  }
}
