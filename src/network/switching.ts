import { preciseNow } from './clock.ts'
import type { Faults } from './faults.ts'
import { eachFrame, headBytes } from './framing.ts'
import { MacTable } from './mac-table.ts'
import type { Port } from './port.ts'
import type { Passage } from './recent.ts'
import { StormGuard, type StormLimit } from './storm.ts'

/** What a {@link Switching} works with. */
export interface SwitchingOptions {
  ports: () => Iterable<Port>
  faults: Faults
  stormLimit: StormLimit
  /** Told of everything that comes into the switch, once its fate is known. */
  seen: (passage: Passage) => void
}

/** Part of a chunk whose frames, one behind the other, are for the same ports. */
interface Batch {
  bytes: Buffer
  start: number
  end: number
  frames: number
  to: readonly Port[]
}

const nowhere: readonly Port[] = []

/**
 * A learning switch. Frames that follow each other to the same ports are passed on together and where they lie: what
 * comes over a link has the form of what goes over one.
 */
export class Switching {
  readonly #options: SwitchingOptions
  readonly #table = new MacTable<Port>()
  readonly #guards = new Map<Port, StormGuard>()
  /** For each port the list of it alone. */
  readonly #alone = new Map<Port, readonly Port[]>()
  /** For each port all others that have a machine; made anew when one comes or goes. */
  readonly #others = new Map<Port, readonly Port[]>()
  readonly #touched = new Set<Port>()
  #batch: Batch | undefined
  /** Whose chunk is read, and when it came: by `performance.now()`, and in ms since 1970. */
  #from: Port | undefined
  #now = 0
  #at = 0
  #isUnplugged = false
  /** The addresses of the frame before, and where that went: most frames follow one of their own kind. */
  #last: { words: [number, number, number]; to: readonly Port[] } | undefined

  constructor(options: SwitchingOptions) {
    this.#options = options
  }

  /** Begins to take frames that have come from `port` at once. */
  chunkBegins(port: Port): void {
    this.#from = port
    this.#now = performance.now()
    this.#at = preciseNow()
    this.#last = undefined
    this.#isUnplugged = this.#options.faults.isUnplugged(port)
  }

  /** Takes one frame with its head. */
  readonly frame = (bytes: Buffer, start: number, end: number): void => {
    const from = this.#from
    if (!from) return
    const { received } = from.counts
    received.frames++
    received.bytes += end - start - headBytes
    if (this.#isUnplugged) {
      from.drop('unplugged')
      return
    }
    const to = this.#wayOf(from, bytes, start + headBytes)
    const batch = this.#batch
    if (batch && batch.bytes === bytes && batch.to === to) {
      batch.end = end
      batch.frames++
      return
    }
    this.#passOn()
    this.#batch = { bytes, start, end, frames: 1, to }
  }

  /** Has taken all frames that came at once. */
  chunkEnds(): void {
    this.#passOn()
    this.flush()
  }

  /** Queues one frame with its head for `port`. False where that does not take it. */
  deliver(port: Port, frame: Buffer): boolean {
    if (port.room >= frame.length) {
      port.send(frame, 1)
      this.#touched.add(port)
      return true
    }
    port.drop(port.connected ? 'queue' : 'unplugged')
    return false
  }

  /** Hands what was queued to the kernel. */
  flush(): void {
    for (const port of this.#touched) port.flush()
    this.#touched.clear()
  }

  /** Looks anew who has a machine, and forgets which addresses were behind `port`. */
  changed(port: Port): void {
    this.#table.forget(port)
    this.#others.clear()
  }

  /** Forgets a port that is no more. */
  remove(port: Port): void {
    this.changed(port)
    this.#guards.delete(port)
    this.#alone.delete(port)
  }

  /** The ports that a frame whose bytes begin at `at` goes to. */
  #wayOf(from: Port, bytes: Buffer, at: number): readonly Port[] {
    const first = bytes.readUInt32BE(at)
    const second = bytes.readUInt32BE(at + 4)
    const third = bytes.readUInt32BE(at + 8)
    const last = this.#last?.words
    if (this.#last && last?.[0] === first && last[1] === second && last[2] === third) return this.#last.to
    const source = (second & 0xffff) * 2 ** 32 + third
    if (isGroup(bytes, at + 6) || source === 0) return this.#filter(from)
    this.#table.learn(source, from, this.#now)
    if (isGroup(bytes, at)) return isReserved(first, second) ? this.#filter(from) : this.#flood(from)
    const port = this.#table.find(first * 2 ** 16 + (second >>> 16), this.#now)
    if (!port) return this.#flood(from)
    const to = port === from ? nowhere : this.#only(port)
    this.#last = { words: [first, second, third], to }
    return to
  }

  #filter(from: Port): readonly Port[] {
    from.drop('filtered')
    return nowhere
  }

  #flood(from: Port): readonly Port[] {
    let guard = this.#guards.get(from)
    if (!guard) {
      guard = new StormGuard(this.#options.stormLimit)
      this.#guards.set(from, guard)
    }
    if (!guard.admits(this.#now)) {
      from.drop('storm')
      return nowhere
    }
    let others = this.#others.get(from)
    if (!others) {
      others = [...this.#options.ports()].filter((port) => port !== from && port.connected)
      this.#others.set(from, others)
    }
    return others
  }

  #only(port: Port): readonly Port[] {
    let alone = this.#alone.get(port)
    if (!alone) {
      alone = [port]
      this.#alone.set(port, alone)
    }
    return alone
  }

  #passOn() {
    const [from, batch] = [this.#from, this.#batch]
    this.#batch = undefined
    if (!from || !batch) return
    const { bytes, start, end, frames, to } = batch
    const run = partOf(bytes, start, end)
    if (!this.#options.faults.active && to.every((port) => port.room >= run.length)) {
      for (const port of to) {
        port.send(run, frames)
        this.#touched.add(port)
      }
      this.#see(from, to, run)
      return
    }
    eachFrame(run, (_run, first, last) => {
      const frame = run.subarray(first, last)
      this.#see(from, this.#passOne(from, frame, to), frame)
    })
  }

  /** Sends one frame on where there are faults or full queues. Gives who gets it, and who gets it twice as two. */
  #passOne(from: Port, frame: Buffer, to: readonly Port[]): Port[] {
    const { faults } = this.#options
    if (!faults.active) return to.filter((port) => this.deliver(port, frame))
    const entered = faults.enter(from, frame.length - headBytes, this.#now)
    if (entered === undefined) {
      from.drop('rate')
      return []
    }
    return to.flatMap((port) => {
      const copies = faults.pass({ from, to: port, frame }, entered, this.#now)
      return Array<Port>(copies).fill(port)
    })
  }

  #see(from: Port, to: readonly Port[], run: Buffer) {
    this.#options.seen({ at: this.#at, from: from.name, to: to.map(({ name }) => name), run })
  }
}

/** The lowest bit of an address's first byte says that it is of many. */
const isGroup = (bytes: Buffer, at: number) => ((bytes[at] ?? 0) & 1) === 1

/**
 * Whether an address is one of those that no bridge forwards, 01:80:c2:00:00:01 to …:0f (IEEE 802.1D, table 7-10). The one
 * before them, of the spanning tree protocol, is forwarded where the bridge has no part in that, as Linux does it:
 * https://github.com/torvalds/linux/blob/v6.1/net/bridge/br_input.c#L331
 */
function isReserved(first: number, second: number): boolean {
  const last = second >>> 16
  return first === 0x0180c200 && last >= 1 && last <= 15
}

/** A part of `bytes`; a copy where it is so small that it must not keep all of them in memory. */
function partOf(bytes: Buffer, start: number, end: number): Buffer {
  if ((end - start) * 4 >= bytes.length) return bytes.subarray(start, end)
  const part = Buffer.allocUnsafeSlow(end - start)
  bytes.copy(part, 0, start, end)
  return part
}
