/**
 * The lengths of a frame that a link carries, in bytes: from a bare Ethernet header to the 9216 bytes that most switches
 * take as jumbo payload, with header and VLAN tag.
 */
export const frameBytes = { least: 14, most: 9_216 + 18 } as const

/** Bytes before each frame on a link: its length, big endian, as QEMU's `-netdev stream` has it. */
export const headBytes = 4

/** Takes one frame with its head: `bytes` from `start` to `end`. The bytes are never changed afterwards. */
export type FrameSink = (bytes: Buffer, start: number, end: number) => void

/**
 * Finds the frames in what comes over a link (https://www.qemu.org/docs/master/system/invocation.html, `-netdev stream`).
 * A frame that lies whole in a chunk is given where it lies; only one that begins in one chunk and ends in another is
 * copied, into room for itself alone.
 */
export class FrameReader {
  #partial: Buffer | undefined
  #filled = 0

  /**
   * Gives each frame that `chunk` completes to `sink`. Gives the length that a frame claimed where that is none a frame
   * can have: nothing further on the link can be told apart then, and the reader is not to be used any more.
   */
  read(chunk: Buffer, sink: FrameSink): number | undefined {
    let at = 0
    while (this.#partial) {
      const wanted = this.#partial.length - this.#filled
      const copied = chunk.copy(this.#partial, this.#filled, at, at + wanted)
      at += copied
      this.#filled += copied
      if (copied < wanted) return undefined
      if (this.#partial.length === headBytes) {
        const length = this.#partial.readUInt32BE(0)
        if (!isPossible(length)) return length
        this.#keep(this.#partial, 0, headBytes + length)
      } else {
        const whole = this.#partial
        this.#partial = undefined
        sink(whole, 0, whole.length)
      }
    }
    const { length: end } = chunk
    while (end - at >= headBytes) {
      const length = chunk.readUInt32BE(at)
      if (!isPossible(length)) return length
      const next = at + headBytes + length
      if (next > end) break
      sink(chunk, at, next)
      at = next
    }
    if (at < end) {
      this.#keep(chunk, at, end - at < headBytes ? headBytes : headBytes + chunk.readUInt32BE(at))
    }
    return undefined
  }

  #keep(bytes: Buffer, from: number, room: number) {
    // A buffer of its own, not a slice of Node's pool: it may be remembered for long.
    const partial = Buffer.allocUnsafeSlow(room)
    this.#filled = bytes.copy(partial, 0, from)
    this.#partial = partial
  }
}

const isPossible = (length: number) => length >= frameBytes.least && length <= frameBytes.most

/** Calls `each` for every frame of a run of whole ones, heads included in `start` to `end`. */
export function eachFrame(run: Buffer, each: FrameSink): void {
  for (let at = 0; at < run.length; ) {
    const end = at + headBytes + run.readUInt32BE(at)
    each(run, at, end)
    at = end
  }
}
