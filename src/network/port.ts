import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { messageOf, RaspiError } from '../errors.ts'
import { FrameReader, type FrameSink, frameBytes, headBytes } from './framing.ts'
import { type DropReason, noTraffic, type PortStatistics } from './statistics.ts'

/** A socket of a segment, into which one NIC of one Pi is plugged. */
export interface SegmentPort {
  readonly name: string
  /** The unix socket that QEMU connects to: `-netdev stream,id=…,server=off,addr.type=unix,addr.path=PATH`. */
  readonly path: string
  /** Whether a machine is connected. */
  readonly connected: boolean
  /** Why the last link was ended or the last newcomer refused by the switch; undefined while that has not happened. */
  readonly problem: string | undefined
  statistics(): PortStatistics
  /** Ends the link and removes the socket; the name is free again. */
  close(): Promise<void>
}

/** What a {@link Port} belongs to. */
export interface PortOwner {
  /** Takes one frame, see {@link FrameSink}, between {@link chunkBegins} and {@link chunkEnds}. */
  frame: FrameSink
  chunkBegins(port: Port): void
  chunkEnds(): void
  /** A machine has come or gone. */
  changed(port: Port): void
  /** The port is no more. */
  closed(port: Port): void
  log(line: string): void
}

/** How long a newcomer waits for a link to end that is in his way, in ms. */
const takeoverMs = 500

/** A unix socket's path may have 107 bytes, unix(7); a few are left over. */
const pathBytes = 100

/**
 * One port of the switch. QEMU 7.2 connects once, when it starts, and never again: so the port has to be there before, and
 * a machine that is started anew takes it over.
 */
export class Port implements SegmentPort {
  readonly name: string
  readonly path: string
  readonly counts = noTraffic()
  readonly #server: Server
  readonly #owner: PortOwner
  readonly #queueBytes: number
  #link: Socket | undefined
  #newcomer: { socket: Socket; timer: NodeJS.Timeout } | undefined
  #problem: string | undefined
  #isCorked = false

  /** Throws a `RaspiError` where `path` is too long for a socket. */
  constructor(name: string, path: string, queueBytes: number, owner: PortOwner) {
    const bytes = Buffer.byteLength(path)
    if (bytes >= pathBytes) {
      throw new RaspiError(
        'options',
        `No socket for a network can be made at ${path}: the path is too long.`,
        {
          hint: `Use a directory whose path is shorter by ${bytes - pathBytes + 1} bytes.`,
        },
      )
    }
    this.name = name
    this.path = path
    this.#queueBytes = queueBytes
    this.#owner = owner
    this.#server = createServer({ pauseOnConnect: true }, (socket) => this.#admit(socket))
    // The machines keep the process alive where that is wanted; their network must not.
    this.#server.unref()
    this.#server.on('error', (error) => this.#say(`its socket failed: ${error.message}.`))
  }

  /** Resolves when machines may connect. Rejects with a `RaspiError` where no socket can be made. */
  async listen(): Promise<void> {
    try {
      await once(this.#server.listen(this.path), 'listening')
    } catch (error) {
      throw new RaspiError('lab', `No socket for a network could be made: ${messageOf(error)}.`, {
        cause: error,
      })
    }
  }

  get connected(): boolean {
    return this.#link !== undefined
  }

  get problem(): string | undefined {
    return this.#problem
  }

  statistics(): PortStatistics {
    return structuredClone(this.counts)
  }

  /** How many bytes the queue to the Pi still takes. */
  get room(): number {
    return this.#link ? this.#queueBytes - this.#link.writableLength : 0
  }

  /** Queues `frames` whole frames with their heads for the Pi. The caller has looked at {@link room}. */
  send(run: Buffer, frames: number): void {
    const link = this.#link
    if (!link) return
    if (!this.#isCorked) {
      this.#isCorked = true
      link.cork()
    }
    link.write(run)
    this.counts.sent.frames += frames
    this.counts.sent.bytes += run.length - frames * headBytes
  }

  /** Hands all that was queued to the kernel at once. */
  flush(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#link?.uncork()
  }

  drop(reason: DropReason, frames = 1): void {
    this.counts.dropped[reason] += frames
  }

  async close(): Promise<void> {
    this.#dismiss()
    this.#link?.destroy()
    this.#leave()
    this.#owner.closed(this)
    // The socket's file goes with the server.
    if (this.#server.listening) await new Promise((done) => this.#server.close(done))
  }

  #admit(socket: Socket) {
    socket.on('error', () => {})
    socket.unref()
    if (!this.#link) this.#connect(socket)
    else if (this.#newcomer) this.#refuse(socket)
    else {
      // That the machine before has ended may be told to us after this one has come.
      const timer = setTimeout(() => {
        this.#newcomer = undefined
        this.#refuse(socket)
      }, takeoverMs)
      timer.unref()
      this.#newcomer = { socket, timer }
      socket.once('close', () => this.#newcomer?.socket === socket && this.#dismiss())
    }
  }

  #connect(socket: Socket) {
    const reader = new FrameReader()
    this.#link = socket
    this.#owner.changed(this)
    socket.once('close', () => this.#gone(socket))
    // A machine that sends no more is one that has ended, even if what we have for it is not read.
    socket.once('end', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      if (this.#link !== socket) return
      this.#owner.chunkBegins(this)
      const impossible = reader.read(chunk, this.#owner.frame)
      this.#owner.chunkEnds()
      if (impossible === undefined) return
      const { least, most } = frameBytes
      this.#say(
        `its link was ended, because a frame of ${impossible} bytes came, where ${least} to ${most} can be.`,
      )
      socket.destroy()
      this.#gone(socket)
    })
    socket.resume()
  }

  #gone(socket: Socket) {
    if (this.#link !== socket) return
    this.#leave()
    const { socket: next, timer } = this.#newcomer ?? {}
    clearTimeout(timer)
    this.#newcomer = undefined
    if (next) this.#connect(next)
  }

  #leave() {
    this.#link = undefined
    this.#isCorked = false
    this.#owner.changed(this)
  }

  #dismiss() {
    clearTimeout(this.#newcomer?.timer)
    this.#newcomer?.socket.destroy()
    this.#newcomer = undefined
  }

  #refuse(socket: Socket) {
    this.#say('a second machine that connected was refused, because the port has one.')
    socket.destroy()
  }

  #say(what: string) {
    this.#problem = `Port ${this.name}: ${what}`
    this.#owner.log(this.#problem)
  }
}
