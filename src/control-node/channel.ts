import { Duplex } from 'node:stream'
import { kinds } from './kinds.ts'

/** How much of a channel may be on its way. remote.py has the same. */
const windowBytes = 256 * 1024
const chunkBytes = 64 * 1024

/** What sends a frame of a channel. */
interface Sender {
  send(kind: string, channel: number, payload?: Uint8Array): void
}

/** One stream of bytes each way among the frames. */
export class Channel extends Duplex {
  readonly #frames: Sender
  readonly #number: number
  readonly #closed: () => void
  #window = windowBytes
  #heard: (Buffer | null)[] = []
  #heardEnd = false
  #wanted = false
  #waiting: (() => void) | undefined
  #over = false

  constructor(frames: Sender, number: number, closed: () => void) {
    super()
    this.#frames = frames
    this.#number = number
    this.#closed = closed
    this.on('error', () => {})
  }

  /** Takes what the other side has sent; null is its end. */
  hear(data: Buffer | null): void {
    this.#heardEnd ||= data === null
    this.#heard.push(data)
    this.#give()
  }

  widen(bytes: number): void {
    this.#window += bytes
    this.#waiting?.()
  }

  /** The other side has broken it off, and knows it no more. */
  breakOff(): void {
    this.#over = true
    this.destroy(new Error('The other side has broken off.'))
  }

  /** There is no other side any more. What it has sent to the end may still be read; what lacks its end is broken off. */
  leave(): void {
    this.#over = true
    if (this.#heardEnd && !this.readableEnded) this.once('end', () => this.destroy())
    else this.destroy()
  }

  override _read(): void {
    this.#wanted = true
    this.#give()
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    const part = chunk.subarray(0, Math.min(chunkBytes, this.#window))
    if (part.length > 0) {
      this.#window -= part.length
      this.#frames.send(kinds.data, this.#number, part)
    }
    if (part.length === chunk.length) {
      done()
      return
    }
    const rest = () => {
      this.#waiting = undefined
      this._write(chunk.subarray(part.length), 'buffer' as BufferEncoding, done)
    }
    if (this.#window > 0) rest()
    else this.#waiting = rest
  }

  override _final(done: () => void): void {
    this.#frames.send(kinds.end, this.#number)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const whole = this.readableEnded && this.writableFinished
    if (!this.#over && !whole) this.#frames.send(kinds.reset, this.#number)
    this.#closed()
    done(error)
  }

  #give(): void {
    while (this.#wanted && this.#heard.length > 0) {
      const data = this.#heard.shift() ?? null
      if (data !== null) {
        const room = Buffer.alloc(4)
        room.writeUInt32BE(data.length)
        this.#frames.send(kinds.room, this.#number, room)
      }
      this.#wanted = this.push(data)
    }
  }
}
