import type { Readable } from 'node:stream'

/** How much of an output's beginning and of its end is kept, in bytes. */
const kept = { head: 256 * 1024, tail: 768 * 1024 }

/** Collects what a process writes, in bounded memory: the beginning, the end, and a line that says what is missing between. */
export class BoundedOutput {
  readonly #head: Buffer[] = []
  readonly #tail: Buffer[] = []
  readonly #limit: typeof kept
  #headSize = 0
  #tailSize = 0
  #omitted = 0

  constructor(limit: typeof kept = kept) {
    this.#limit = limit
  }

  add(chunk: Buffer): void {
    const room = this.#limit.head - this.#headSize
    if (room > 0) {
      const part = chunk.subarray(0, room)
      this.#head.push(part)
      this.#headSize += part.length
    }
    const rest = chunk.subarray(Math.max(0, room))
    if (rest.length === 0) return
    this.#tail.push(rest)
    this.#tailSize += rest.length
    for (
      let first = this.#tail[0];
      first && this.#tailSize - first.length >= this.#limit.tail;
      first = this.#tail[0]
    ) {
      this.#tail.shift()
      this.#tailSize -= first.length
      this.#omitted += first.length
    }
  }

  /** Takes everything `stream` gives, until its end. */
  async collect(stream: Readable): Promise<void> {
    for await (const chunk of stream) this.add(chunk)
  }

  /** The output as text; what is no UTF-8 in it becomes U+FFFD. */
  toString(): string {
    // As one, because a character may lie across two chunks.
    if (this.#omitted === 0) return Buffer.concat([...this.#head, ...this.#tail]).toString()
    const [head, tail] = [Buffer.concat(this.#head), Buffer.concat(this.#tail)]
    return `${head}\n… ${this.#omitted} bytes left out …\n${tail}`
  }
}
