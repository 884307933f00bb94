import { eachFrame, frameBytes, headBytes } from './framing.ts'
import type { Passage } from './recent.ts'

/**
 * The head of a capture: little endian, times in microseconds, Ethernet frames.
 * https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html
 */
export function pcapHead(): Buffer {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  // Between them the time zone and the accuracy, which are always 0.
  head.writeUInt32LE(frameBytes.most, 16)
  head.writeUInt32LE(linkTypeEthernet, 20)
  return head
}

/** https://www.tcpdump.org/linktypes.html */
const linkTypeEthernet = 1

/** Whether a file begins as a capture of {@link pcapHead} does. */
export function isPcap(start: Buffer): boolean {
  return start.length >= 4 && start.readUInt32LE(0) === 0xa1b2c3d4
}

/** How often the frames of `passage` went over the link of `port`; once each for the whole segment. */
export function timesSeen({ from, to }: Passage, port: string | undefined): number {
  if (port === undefined || from === port) return 1
  return to.filter((name) => name === port).length
}

/** The frames of `passage` as records of a capture, each for itself: its head and its bytes. */
export function pcapRecords({ at, run }: Passage): [head: Buffer, frame: Buffer][] {
  const records: [Buffer, Buffer][] = []
  const seconds = Math.floor(at / 1_000)
  const microseconds = Math.floor((at - seconds * 1_000) * 1_000)
  eachFrame(run, (bytes, start, end) => {
    const length = end - start - headBytes
    const head = Buffer.allocUnsafe(16)
    head.writeUInt32LE(seconds, 0)
    head.writeUInt32LE(microseconds, 4)
    head.writeUInt32LE(length, 8)
    head.writeUInt32LE(length, 12)
    records.push([head, bytes.subarray(start + headBytes, end)])
  })
  return records
}
