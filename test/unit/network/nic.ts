import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { Segment, type SegmentOptions } from '../../../src/network/segment.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

/** A segment that is closed when the test has ended, and what it has logged. */
export function segment(options: Partial<SegmentOptions> = {}): {
  segment: Segment
  logged: string[]
  dir: string
} {
  const logged: string[] = []
  const dir = scratchDir()
  const opened = Segment.open({
    name: 'pxe',
    dir: join(dir, 'net'),
    log: (line) => logged.push(line),
    ...options,
  })
  onTestFinished(() => opened.close())
  return { segment: opened, logged, dir: join(dir, 'net') }
}

/** What QEMU is to a port: a client of its socket, written without the code that it tests. */
export class Nic {
  readonly mac: string
  readonly socket: Socket
  readonly #got: Buffer[] = []
  readonly closed: Promise<unknown>
  #bytes = Buffer.alloc(0)

  private constructor(socket: Socket, mac: string) {
    this.socket = socket
    this.mac = mac
    this.closed = once(socket, 'close')
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readUInt32BE(0)) {
        const end = 4 + this.#bytes.readUInt32BE(0)
        this.#got.push(this.#bytes.subarray(4, end))
        this.#bytes = this.#bytes.subarray(end)
        socket.emit('frame')
      }
    })
  }

  /** Connects to the socket at `path`. */
  static async connect(path: string, mac = 'b8:27:eb:00:00:00'): Promise<Nic> {
    const socket = connect(path)
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    return new Nic(socket, mac)
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames.flatMap((frame) => [lengthOf(frame.length), frame])))
  }

  /** A frame from here to `to` that says `text`. */
  frame(to: Nic | string, text = ''): Buffer {
    return ethernet(typeof to === 'string' ? to : to.mac, this.mac, 0x88b5, Buffer.from(text))
  }

  say(to: Nic | string, ...texts: string[]): void {
    this.send(...texts.map((text) => this.frame(to, text)))
  }

  /** The next `count` frames that came or come. */
  async take(count: number): Promise<Buffer[]> {
    while (this.#got.length < count) await once(this.socket, 'frame')
    return this.#got.splice(0, count)
  }

  /** All that was said to this NIC, up to and without `last`, which has to come. */
  async heardUntil(last: string): Promise<string[]> {
    const heard: string[] = []
    for (;;) {
      const [frame] = await this.take(1)
      const text = textOf(frame as Buffer)
      if (text === last) return heard
      heard.push(text)
    }
  }
}

/** A segment with a port for each of `names`, a NIC in each, and every NIC known to the switch. */
export async function pis<Name extends string>(
  names: readonly Name[],
  options: Partial<SegmentOptions> = {},
): Promise<{ segment: Segment; logged: string[]; dir: string; nics: Record<Name, Nic> }> {
  const made = segment(options)
  const nics = {} as Record<Name, Nic>
  for (const [index, name] of names.entries()) {
    const { path } = await made.segment.port(name)
    nics[name] = await Nic.connect(path, `b8:27:eb:00:00:${(index + 1).toString(16).padStart(2, '0')}`)
  }
  await introduce(names, nics)
  return { ...made, nics }
}

/** Lets each NIC broadcast once and all others hear it: the switch knows who is where then. */
export async function introduce<Name extends string>(
  names: readonly Name[],
  nics: Record<Name, Nic>,
): Promise<void> {
  for (const name of names) {
    nics[name].say(broadcast, `hello ${name}`)
    await Promise.all(names.filter((other) => other !== name).map((other) => nics[other].take(1)))
  }
}

/** Waits until the switch has taken `frames` frames from `port` since it was made. */
export async function taken(segment: Segment, port: string, frames: number): Promise<void> {
  await vi.waitFor(() => expect(segment.statistics()[port]?.received.frames).toBe(frames), {
    interval: 5,
    timeout: 10_000,
  })
}

export const broadcast = 'ff:ff:ff:ff:ff:ff'

export function ethernet(to: string, from: string, type: number, payload: Buffer): Buffer {
  const head = Buffer.from(`${to}${from}`.replaceAll(':', ''), 'hex')
  return Buffer.concat([head, Buffer.from([type >> 8, type & 255]), payload])
}

export const textOf = (frame: Buffer) => frame.toString('utf8', 14)

export function lengthOf(bytes: number): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes)
  return head
}
