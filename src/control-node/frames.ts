import type { Duplex, Readable, Writable } from 'node:stream'
import { Channel } from './channel.ts'
import { kinds } from './kinds.ts'

/** The command that the other side runs. */
export interface Order {
  args: string[]
  env: Record<string, string>
  cwd: string
  umask: number
  /** The descriptor of its events, where it has one. */
  events: number | null
}

/** The channels of a command. */
export const channels = { stdin: 0, stdout: 1, stderr: 2, events: 3 } as const

const headerBytes = 9

/** A frame that is not a channel's. */
export interface Frame {
  kind: string
  channel: number
  payload: Buffer
}

/**
 * The two streams between this process and remote.py as channels. One that is not read holds no other up, because of each
 * only so much is on its way as there is room for.
 */
export class Frames {
  readonly #output: Writable
  readonly #channels = new Map<number, Channel>()
  readonly #listener: (frame: Frame) => void
  #buffered: Buffer[] = []
  #length = 0

  /** Tells `listener` of frames that are not a channel's, until `input` ends; `ended` is called then, once. */
  constructor(input: Readable, output: Writable, listener: (frame: Frame) => void, ended: () => void) {
    this.#output = output
    this.#listener = listener
    output.on('error', () => {})
    input.on('error', () => {})
    input.on('data', (chunk: Buffer) => this.#take(chunk))
    // A socket that is open in the other direction ends without closing; one that breaks closes without an end.
    let over = false
    const end = () => {
      if (over) return
      over = true
      for (const channel of this.#channels.values()) channel.leave()
      ended()
    }
    input.once('end', end)
    input.once('close', end)
  }

  send(kind: string, channel: number, payload: Uint8Array = Buffer.alloc(0)): void {
    if (!this.#output.writable) return
    const header = Buffer.alloc(headerBytes)
    header.write(kind, 'latin1')
    header.writeUInt32BE(channel, 1)
    header.writeUInt32BE(payload.length, 5)
    this.#output.write(Buffer.concat([header, payload]))
  }

  /** The channel of this number, which begins now. */
  channel(number: number): Duplex {
    const channel = new Channel(this, number, () => this.#channels.delete(number))
    this.#channels.set(number, channel)
    return channel
  }

  #take(chunk: Buffer): void {
    this.#buffered.push(chunk)
    this.#length += chunk.length
    for (;;) {
      if (this.#length < headerBytes) return
      const [head = Buffer.alloc(0)] = this.#buffered
      if (head.length < headerBytes) this.#buffered = [Buffer.concat(this.#buffered)]
      const [first = head] = this.#buffered
      const whole = headerBytes + first.readUInt32BE(5)
      if (this.#length < whole) return
      const all = this.#buffered.length === 1 ? first : Buffer.concat(this.#buffered)
      this.#buffered = all.length > whole ? [all.subarray(whole)] : []
      this.#length -= whole
      const kind = String.fromCharCode(all[0] ?? 0)
      this.#handle({ kind, channel: all.readUInt32BE(1), payload: all.subarray(headerBytes, whole) })
    }
  }

  #handle(frame: Frame): void {
    const channel = this.#channels.get(frame.channel)
    switch (frame.kind) {
      case kinds.data:
        channel?.hear(frame.payload)
        break
      case kinds.end:
        channel?.hear(null)
        break
      case kinds.room:
        channel?.widen(frame.payload.readUInt32BE(0))
        break
      case kinds.reset:
        channel?.breakOff()
        break
      default:
        this.#listener(frame)
    }
  }
}
