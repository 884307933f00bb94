import { createReadStream, createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createZstdCompress, createZstdDecompress } from 'node:zlib'
import { sparseDigest } from '../host/sparse-digest.ts'
import { SparseWriter } from '../image/sparse-writer.ts'

/** What a file is to be when it has been unpacked. */
export interface PackedFile {
  /** In bytes. */
  size: number
  /** Its sparse digest. */
  sha256: string
}

/** Packs a file by Zstandard to the new file `to`: the holes of a card and of a Pi's RAM come to nothing. */
export async function pack(
  from: string,
  to: string,
  signal: AbortSignal,
  { mode }: { mode?: number | undefined } = {},
): Promise<void> {
  const reading = createReadStream(from, { highWaterMark: 2 ** 20 })
  await pipeline(reading, createZstdCompress(), createWriteStream(to, { flags: 'wx', mode }), { signal })
}

/** Whether {@link unpack} threw `error` because of what it was given, not because of the way that it came. */
export function isDamage(error: unknown): boolean {
  // zlib's codes are of its own; all others, as ECONNRESET, are of sockets, streams and disks.
  return error instanceof UnlikeShared || /^Z/.test((error as NodeJS.ErrnoException).code ?? '')
}

class UnlikeShared extends Error {}

/** Unpacks `stream` to the new, sparse file `to`, and no more than it is to be. Throws where it comes to anything else. */
export async function unpack(
  stream: Readable,
  to: string,
  expected: PackedFile,
  signal: AbortSignal,
): Promise<void> {
  // It may fail while the file is being opened, which nobody would hear; the pipeline learns of it all the same.
  stream.on('error', () => {})
  const file = await open(to, 'wx', 0o600)
  try {
    const writer = new SparseWriter(file)
    let bytes = 0
    await pipeline(
      stream,
      createZstdDecompress(),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          bytes += chunk.length
          if (bytes > expected.size)
            throw new UnlikeShared(`it has more than the ${expected.size} bytes it should have`)
          await writer.write(chunk)
        }
      },
      { signal },
    )
    await writer.end()
    if (bytes !== expected.size) throw new UnlikeShared(`it has ${bytes} bytes and not ${expected.size}`)
  } finally {
    await file.close()
  }
  const digest = await sparseDigest(to)
  if (digest !== expected.sha256)
    throw new UnlikeShared(`it is not what was shared: its SHA-256 is ${digest}`)
}
