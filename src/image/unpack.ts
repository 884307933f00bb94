import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { isRaspiError, messageOf, RaspiError } from '../errors.ts'
import { type Compression, compressionOf, unpacking } from './compression.ts'
import { megabytes } from './free-space.ts'
import { SparseWriter } from './sparse-writer.ts'
import type { Transfer } from './transfer.ts'

/** The most that is unpacked where nothing tells how much it is, in bytes: twice the largest Raspberry Pi OS. */
const mostBytes = 32 * 2 ** 30

/** What is known of what comes out. */
export interface Expected {
  bytes?: number | undefined
  sha256?: string | undefined
}

/**
 * Unpacks the image `from` into the new, sparse file `to`, at most as much as is expected, and checks it. Throws a
 * `RaspiError` of kind `image` where it is not what is expected, and the reason of an abort.
 */
export async function unpack(
  name: string,
  from: string,
  to: string,
  expected: Expected,
  { transfer, signal }: { transfer: Transfer; signal?: AbortSignal | undefined },
): Promise<void> {
  const compression = await compressionOf(from)
  const limit = expected.bytes ?? mostBytes
  transfer.start(0, expected.bytes)
  const hash = createHash('sha256')
  const file = await open(to, 'wx', 0o600)
  try {
    const writer = new SparseWriter(file)
    const { stream, ended } = await unpacking(from, compression)
    const abort = () => stream.destroy()
    signal?.addEventListener('abort', abort)
    try {
      for await (const chunk of stream) {
        transfer.add(chunk.length)
        if (transfer.bytes > limit) throw tooMuch(name, expected.bytes)
        if (expected.sha256) hash.update(chunk)
        await writer.write(chunk)
      }
      await ended
    } catch (error) {
      signal?.throwIfAborted()
      throw isRaspiError(error) || (error as NodeJS.ErrnoException).syscall === 'write'
        ? error
        : await damaged(name, compression, ended, error)
    } finally {
      signal?.removeEventListener('abort', abort)
      stream.destroy()
    }
    await writer.end()
  } finally {
    await file.close()
  }
  if (expected.bytes && transfer.bytes !== expected.bytes)
    throw mismatch(name, `unpacked, it has ${transfer.bytes} bytes, and should have ${expected.bytes}`)
  const sum = hash.digest('hex')
  if (expected.sha256 && sum !== expected.sha256)
    throw mismatch(name, `unpacked, it has the SHA-256 ${sum}, and should have ${expected.sha256}`)
}

function mismatch(name: string, why: string): RaspiError {
  return new RaspiError('image', `Image ${name} is not used: ${why}.`, {
    hint: 'The file is whole, but not the one that is meant: check what is said of it.',
  })
}

function tooMuch(name: string, declared: number | undefined): RaspiError {
  const limit = declared ? `the ${declared} bytes it should have` : `${megabytes(mostBytes)}`
  return new RaspiError('image', `Image ${name} is not used: unpacked, it has more than ${limit}.`, {
    hint: declared
      ? 'Check what is said of it.'
      : 'Where it is right, give its size: image: { …, extractedBytes }.',
  })
}

/** xz tells more than the end of its output does. */
async function damaged(
  name: string,
  compression: Compression,
  ended: Promise<void>,
  error: unknown,
): Promise<RaspiError> {
  const reason = await ended.then(
    () => error,
    (better: unknown) => better,
  )
  const kind = compression === 'none' ? '' : ` (${compression})`
  return new RaspiError('image', `Image ${name} cannot be unpacked${kind}: ${messageOf(reason)}.`, {
    hint: 'The file is damaged, or was cut short before it was published.',
    cause: reason,
  })
}
