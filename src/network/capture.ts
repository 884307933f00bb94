import {
  closeSync,
  createWriteStream,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  type WriteStream,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import * as z from 'zod'
import { messageOf, RaspiError } from '../errors.ts'
import { isPcap, pcapHead, pcapRecords, timesSeen } from './pcap.ts'
import type { Passage } from './recent.ts'

/** What `capture()` of a segment takes besides a file's name. */
export const captureSchema = z.strictObject({
  /** Where the frames are written. An earlier capture there is replaced, any other file is refused. */
  file: z.string().min(1),
  /** Only what goes over the link of this port. @default every frame that comes into the switch, once */
  port: z.string().optional(),
  /** How long the file may become; the capture ends there. @default 64 MiB */
  maxBytes: z
    .int()
    .min(64)
    .default(64 * 2 ** 20),
})

/** See {@link captureSchema}. */
export type CaptureOptions = z.input<typeof captureSchema>

/** What a capture came to. */
export interface CaptureResult {
  file: string
  frames: number
  bytes: number
  /** Frames that were not written because the disk was too slow for them. */
  missed: number
  /** Whether it ended because the file had its `maxBytes`. */
  full: boolean
}

/** The captures that are being written by this process, which has the networks of all tests, by their files. */
const writing = new Map<string, Capture>()

/** How much may wait for the disk, in bytes. */
const mostWaiting = 16 * 2 ** 20

/** Writes frames into a file that Wireshark and tcpdump read, until it is stopped or the file is long enough. */
export class Capture {
  readonly #options: z.output<typeof captureSchema>
  readonly #stream: WriteStream
  readonly #ended: Promise<unknown>
  readonly #stopped: (capture: Capture) => void
  readonly #result: CaptureResult
  readonly #log: (line: string) => void
  #isOpen = true

  /** Throws a `RaspiError` where the file cannot be written. */
  constructor(
    options: z.output<typeof captureSchema>,
    {
      log,
      stopped,
      siblings,
    }: {
      log: (line: string) => void
      stopped: (capture: Capture) => void
      /** What is captured of the same segment: where one is written to the same file, it ends. */
      siblings: ReadonlySet<Capture>
    },
  ) {
    this.#options = options
    this.#log = log
    this.#stopped = stopped
    const file = resolve(options.file)
    this.#stream = createWriteStream(file, { fd: openCapture(file, siblings) })
    const place = realPath(file)
    writing.set(place, this)
    // Told by stop().
    this.#ended = finished(this.#stream)
      .catch((error: unknown) => error)
      .finally(() => writing.get(place) === this && writing.delete(place))
    const head = pcapHead()
    this.#stream.write(head)
    this.#result = { file, frames: 0, bytes: head.length, missed: 0, full: false }
  }

  /** Takes frames of the segment. */
  add(passage: Passage): void {
    for (let times = timesSeen(passage, this.#options.port); times > 0 && this.#isOpen; times--) {
      this.#stream.cork()
      for (const [head, frame] of pcapRecords(passage)) this.#write(head, frame)
      this.#stream.uncork()
      if (this.#result.full) this.#close()
    }
  }

  /** Ends the capture. Resolves when the file is whole; rejects with a `RaspiError` where it could not be written. */
  async stop(): Promise<CaptureResult> {
    this.#close()
    const error = await this.#ended
    if (error) throw new RaspiError('lab', `The capture could not be written: ${messageOf(error)}.`)
    return { ...this.#result }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Ends it, and leaves its file's place to another capture. */
  giveWay(): void {
    this.#close()
    // What is still to be written goes into the file that nobody sees any more.
    rmSync(this.#result.file, { force: true })
  }

  #write(head: Buffer, frame: Buffer) {
    const result = this.#result
    if (result.full) return
    if (result.bytes + head.length + frame.length > this.#options.maxBytes) {
      result.full = true
      this.#log(`the capture ${result.file} has its ${this.#options.maxBytes} bytes and ends.`)
    } else if (this.#stream.writableLength > mostWaiting) {
      result.missed++
    } else {
      this.#stream.write(head)
      this.#stream.write(frame)
      result.frames++
      result.bytes += head.length + frame.length
    }
  }

  #close() {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#stream.end()
    this.#stopped(this)
  }
}

/**
 * Opens `file` for a new capture, and its directory before. Throws a `RaspiError` where something else lies there, or a capture
 * is being written that is none of `siblings`: of those, one gives way, as where a test is tried again.
 */
export function openCapture(file: string, siblings: ReadonlySet<Capture>): number {
  try {
    mkdirSync(dirname(file), { recursive: true })
    const there = writing.get(realPath(file))
    if (there && !siblings.has(there)) throw new Error('another capture is being written there')
    there?.giveWay()
    try {
      return openSync(file, 'wx')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (statSync(file).isFile()) {
      const there = openSync(file, 'r')
      const start = Buffer.alloc(4)
      const length = readSync(there, start)
      closeSync(there)
      if (length === 0 || isPcap(start)) return openSync(file, 'w')
    }
  } catch (error) {
    throw new RaspiError('options', `No capture can be written to ${file}: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  throw new RaspiError('options', `No capture is written to ${file}: what is there is none.`, {
    hint: 'Name another file, or remove it.',
  })
}

/** The one path of a file, be it there or not; its directory is. */
function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return join(realpathSync(dirname(file)), basename(file))
  }
}
