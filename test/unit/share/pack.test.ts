import { createReadStream, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test as base, expect } from 'vitest'
import { sparseDigest } from '../../../src/host/sparse-digest.ts'
import { pack, unpack } from '../../../src/share/pack.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const { signal } = new AbortController()

const test = base.extend('dir', () => scratchDir())

/** A file of 64 MiB with a little in its middle, and what it is. */
async function aSparseFile(dir: string) {
  const file = join(dir, 'ram')
  writeFileSync(file, '')
  truncateSync(file, 32 * 2 ** 20)
  writeFileSync(file, 'memory', { flag: 'a' })
  truncateSync(file, 64 * 2 ** 20)
  return { file, size: 64 * 2 ** 20, sha256: await sparseDigest(file) }
}

test('a sparse file comes out as it went in, as sparse, and is small on the way', async ({ dir }) => {
  const { file, ...expected } = await aSparseFile(dir)
  const [packed, out] = [join(dir, 'packed'), join(dir, 'out')]
  await pack(file, packed, signal)
  expect(statSync(packed).size).toBeLessThan(64 * 1024)
  await unpack(createReadStream(packed), out, expected, signal)
  expect(readFileSync(out).equals(readFileSync(file))).toBe(true)
  expect(statSync(out).blocks * 512).toBeLessThan(2 ** 20)
})

test('what is larger, smaller or other than it should be is refused, and so is what is cut short', async ({
  dir,
}) => {
  const { file, ...expected } = await aSparseFile(dir)
  const packed = join(dir, 'packed')
  await pack(file, packed, signal)
  let count = 0
  const unpacked = (wanted: Partial<typeof expected>, from = packed) =>
    unpack(createReadStream(from), join(dir, `out-${++count}`), { ...expected, ...wanted }, signal)
  await expect(unpacked({ size: 1024 })).rejects.toThrow('more than the 1024 bytes')
  await expect(unpacked({ size: 65 * 2 ** 20 })).rejects.toThrow('bytes and not')
  await expect(unpacked({ sha256: 'a'.repeat(64) })).rejects.toThrow('is not what was shared')
  truncateSync(packed, statSync(packed).size - 20)
  await expect(unpacked({})).rejects.toThrow()
  writeFileSync(packed, 'plain text')
  await expect(unpacked({})).rejects.toThrow()
})

test('what breaks before anything of it was read is an error like any other', async ({ dir }) => {
  const broken = new PassThrough()
  const expected = { size: 1, sha256: 'a'.repeat(64) }
  const unpacked = unpack(broken, join(dir, 'out'), expected, signal)
  // As a file does that may not be opened: while the one it goes to is being opened.
  process.nextTick(() => broken.destroy(new Error('permission denied')))
  await expect(unpacked).rejects.toThrow('permission denied')
})
