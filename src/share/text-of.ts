import type { Readable } from 'node:stream'

/** What a stream says, in UTF-8. Rejects where it is more than `largest` bytes. */
export async function textOf(stream: Readable, largest: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > largest) throw new Error(`what it tells is larger than ${largest} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
