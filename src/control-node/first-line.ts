import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** What a stand-in is told as a line of JSON: from there on it talks with remote.py. */
export interface Welcome {
  /** Why it cannot have what it wants. */
  error?: string
}

/** Reads a line, and leaves the rest to whoever reads next. */
export async function firstLine(stream: Readable): Promise<string> {
  let read = Buffer.alloc(0)
  for (;;) {
    const chunk: Buffer | null = stream.read()
    if (chunk === null) {
      if (stream.readableEnded || stream.destroyed) throw new Error('The other side has said nothing.')
      await Promise.race([once(stream, 'readable'), once(stream, 'end'), once(stream, 'close')])
      continue
    }
    read = Buffer.concat([read, chunk])
    const end = read.indexOf('\n')
    if (end < 0) continue
    stream.unshift(read.subarray(end + 1))
    return read.subarray(0, end).toString()
  }
}
