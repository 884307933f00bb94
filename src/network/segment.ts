import { createHash } from 'node:crypto'
import { closeSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { messageOf, RaspiError } from '../errors.ts'
import { privateDir } from '../host/paths.ts'
import { Capture, type CaptureOptions, captureSchema, openCapture } from './capture.ts'
import type { FaultInput } from './fault-options.ts'
import { type Fault, Faults } from './faults.ts'
import { checkedFilter, type Frame, type FrameFilter, selectFrames } from './frames.ts'
import { pcapHead, pcapRecords, timesSeen } from './pcap.ts'
import { Port, type PortOwner, type SegmentPort } from './port.ts'
import { type Passage, Recent } from './recent.ts'
import type { PortStatistics } from './statistics.ts'
import { defaultStormLimit, type StormLimit } from './storm.ts'
import { Switching } from './switching.ts'

/** What a {@link Segment} is made of. */
export interface SegmentOptions {
  /** The network's name, as `mgmt`. */
  name: string
  /** Where the sockets are made; it is made where it is missing. Short, because a unix socket's path may have 107 bytes. */
  dir: string
  /** What random faults depend on: with the same seed the same frames are lost. @default '' */
  seed?: string | number
  /** Takes a sentence about each link that the switch has ended, machine it has refused and capture that is full. */
  log?: (line: string) => void
  /** How much waits for a Pi that does not take it, in bytes; more is dropped. @default 256 KiB */
  queueBytes?: number
  /** How many frames for many, or to unknown addresses, may come from a port. @default 1000 frames a second, 2000 at once */
  stormLimit?: StormLimit
  /** How much of what went through is remembered, in bytes. @default 1 MiB */
  recentBytes?: number
}

/**
 * A named Ethernet segment: a learning switch in this process, into whose ports QEMU plugs the NICs of Pis. It can be
 * captured, asked for the frames that went through it, and broken.
 */
export class Segment {
  readonly name: string
  readonly #dir: string
  readonly #queueBytes: number
  readonly #log: (line: string) => void
  readonly #ports = new Map<string, Port>()
  /** Names of all ports that there are or were. */
  readonly #names = new Set<string>()
  readonly #faults: Faults
  readonly #switching: Switching
  readonly #recent: Recent
  readonly #captures = new Set<Capture>()
  readonly #owner: PortOwner
  #made = 0
  #isClosed = false

  private constructor(options: SegmentOptions) {
    const { name, seed = '', log = () => {}, queueBytes = 2 ** 18, recentBytes = 2 ** 20 } = options
    this.name = name
    this.#dir = privateDir(resolve(options.dir))
    this.#queueBytes = queueBytes
    this.#log = (line) => log(`Network ${name}: ${line}`)
    this.#recent = new Recent(recentBytes)
    this.#faults = new Faults({
      segment: name,
      seed,
      ports: () => [...this.#ports.keys()],
      deliver: (port, frame) => this.#switching.deliver(port, frame),
      flush: () => this.#switching.flush(),
    })
    this.#switching = new Switching({
      ports: () => this.#ports.values(),
      faults: this.#faults,
      stormLimit: options.stormLimit ?? defaultStormLimit,
      seen: (passage) => this.#see(passage),
    })
    this.#owner = {
      frame: this.#switching.frame,
      chunkBegins: (port) => this.#switching.chunkBegins(port),
      chunkEnds: () => this.#switching.chunkEnds(),
      changed: (port) => this.#switching.changed(port),
      closed: (port) => this.#remove(port),
      log: (line) => this.#log(line),
    }
  }

  /** Opens a segment without ports. */
  static open(options: SegmentOptions): Segment {
    return new Segment(options)
  }

  /** Makes a port, and resolves when QEMU may connect to its `path`. Rejects with a `RaspiError` where that cannot be. */
  async port(name: string): Promise<SegmentPort> {
    const refused = this.#isClosed
      ? 'it is closed'
      : this.#ports.has(name)
        ? 'it has one of that name'
        : undefined
    if (refused) throw new RaspiError('lab', `The network ${this.name} gets no port ${name}: ${refused}.`)
    // The name of a network may be too long for a path.
    const prefix = createHash('sha256').update(this.name).digest('hex').slice(0, 6)
    const path = join(this.#dir, `${prefix}-${++this.#made}`)
    const port = new Port(name, path, this.#queueBytes, this.#owner)
    this.#ports.set(name, port)
    try {
      await port.listen()
    } catch (error) {
      this.#ports.delete(name)
      throw error
    }
    this.#names.add(name)
    return port
  }

  /** What has gone through each port so far, by its name. */
  statistics(): Record<string, PortStatistics> {
    return Object.fromEntries([...this.#ports].map(([name, port]) => [name, port.statistics()]))
  }

  /**
   * Divides the ports into groups that reach only their own kind, until the fault is undone. Ports that are in no group are
   * one further group. Like every fault it throws a `RaspiError` where it is called wrongly.
   */
  partition(groups: FaultInput<'partition'>): Fault {
    return this.#faults.start('partition', groups)
  }

  /** Loses `percent` of the frames; with `from` or `to` only on that way. */
  loss(options: FaultInput<'loss'>): Fault {
    return this.#faults.start('loss', options)
  }

  /** Sends `percent` of the frames twice. */
  duplicate(options: FaultInput<'duplicate'>): Fault {
    return this.#faults.start('duplicate', options)
  }

  /** Lets frames come `ms` later, give or take `jitterMs`. Those from one port to another stay in their order. */
  delay(options: FaultInput<'delay'>): Fault {
    return this.#faults.start('delay', options)
  }

  /** Lets the link of a port, or that of each, carry no more than `bytesPerSecond` each way. */
  rate(options: FaultInput<'rate'>): Fault {
    return this.#faults.start('rate', options)
  }

  /** Lets the link of a port carry nothing. The Pi is not told: to it the link is up. */
  unplug(port: FaultInput<'unplug'>): Fault {
    const fault = this.#faults.start('unplug', port)
    // A switch forgets who was behind a link that goes down.
    const unplugged = this.#ports.get(port)
    if (unplugged) this.#switching.changed(unplugged)
    return fault
  }

  /** Undoes every fault. What was held back is sent on at once. */
  clearFaults(): void {
    this.#faults.clear()
  }

  /**
   * Writes what goes through the segment, or over the link of one port, into a file that Wireshark and tcpdump read, until
   * it is stopped. Throws a `RaspiError` where it is called wrongly or the file cannot be written.
   */
  capture(options: string | CaptureOptions): Capture {
    const checked = captureSchema.safeParse(typeof options === 'string' ? { file: options } : options)
    const what = `capture() of the network ${this.name}`
    if (!checked.success) {
      throw new RaspiError('options', `${what} was called wrongly:\n${z.prettifyError(checked.error)}`)
    }
    this.#check(what, checked.data.port)
    if (this.#isClosed) throw new RaspiError('lab', `${what} comes too late: it is closed.`)
    const capture = new Capture(checked.data, {
      log: this.#log,
      stopped: (stopped) => this.#captures.delete(stopped),
      siblings: this.#captures,
    })
    this.#captures.add(capture)
    return capture
  }

  /** Writes what is remembered of the segment, or of one port's link, as {@link Segment.capture} does. Gives how many frames. */
  saveRecent(file: string, { port }: { port?: string } = {}): number {
    this.#check(`saveRecent() of the network ${this.name}`, port)
    const records = this.#recent.all().flatMap((passage) => {
      const each = pcapRecords(passage)
      return Array.from({ length: timesSeen(passage, port) }, () => each).flat()
    })
    const opened = openCapture(resolve(file), this.#captures)
    try {
      writeFileSync(opened, Buffer.concat([pcapHead(), ...records.flat()]))
    } finally {
      closeSync(opened)
    }
    return records.length
  }

  /**
   * The frames that have come into the switch and fit `filter`, as far as they are remembered, in their order. Throws a
   * `RaspiError` for a wrong filter, and where frames since `since` are forgotten: so an empty list means that there were none.
   */
  frames(filter: FrameFilter = {}): Frame[] {
    const checked = checkedFilter(filter, this.name)
    this.#check(`frames() of the network ${this.name}`, ...(checked.from ?? []), ...(checked.to ?? []))
    const { forgottenUntil } = this.#recent
    if (checked.since !== undefined && forgottenUntil !== undefined && checked.since <= forgottenUntil) {
      const late = Math.ceil(forgottenUntil - checked.since)
      throw new RaspiError(
        'lab',
        `Not all frames of the network ${this.name} since then are remembered: those of the first ${late} ms are not.`,
        { hint: 'Ask sooner, or capture() them into a file.' },
      )
    }
    return selectFrames(this.#recent.all(), checked)
  }

  /** Ends all links, captures and faults, and removes the sockets. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#faults.close()
    const captures = [...this.#captures].map((capture) =>
      capture.stop().catch((error: unknown) => this.#log(messageOf(error))),
    )
    await Promise.all([...captures, ...[...this.#ports.values()].map((port) => port.close())])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #see(passage: Passage) {
    this.#recent.add(passage)
    for (const capture of this.#captures) capture.add(passage)
  }

  #remove(port: Port) {
    this.#ports.delete(port.name)
    this.#faults.forget(port)
    this.#switching.remove(port)
  }

  #check(what: string, ...names: (string | undefined)[]) {
    const unknown = names.find((name) => name !== undefined && !this.#names.has(name))
    if (unknown === undefined) return
    throw new RaspiError('options', `${what} names ${unknown}, which has no port there.`, {
      hint: this.#names.size > 0 ? `Ports are: ${[...this.#names].join(', ')}.` : 'There are no ports yet.',
    })
  }
}
