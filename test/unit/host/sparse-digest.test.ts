import { truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sparseDigest } from '../../../src/host/sparse-digest.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

const MiB = 2 ** 20

async function sparse(size: number, ...writes: [string, number][]) {
  const path = join(scratchDir(), 'sparse')
  writeFileSync(path, '')
  truncateSync(path, size)
  const file = await open(path, 'r+')
  for (const [text, position] of writes) await file.write(text, position)
  await file.close()
  return path
}

test('holes and written zeros are the same', async () => {
  const holes = await sparse(20 * MiB, ['x', 5 * MiB])
  const zeros = join(scratchDir(), 'zeros')
  const content = Buffer.alloc(20 * MiB)
  content.write('x', 5 * MiB)
  writeFileSync(zeros, content)
  expect(await sparseDigest(zeros)).toBe(await sparseDigest(holes))
})

test('without qemu-img it is the same', async () => {
  const path = await sparse(20 * MiB, ['x', 5 * MiB], ['y', 20 * MiB - 1])
  const digest = await sparseDigest(path)
  const { PATH } = process.env
  process.env.PATH = '/nowhere'
  onTestFinished(() => void Object.assign(process.env, { PATH }))
  expect(await sparseDigest(path)).toBe(digest)
})

test('each byte counts, also in what was a hole, and so does the size', async () => {
  const digests = await Promise.all(
    [
      sparse(20 * MiB, ['x', 5 * MiB]),
      sparse(20 * MiB, ['x', 5 * MiB + 1]),
      sparse(20 * MiB, ['x', 9 * MiB]),
      sparse(20 * MiB, ['x', 5 * MiB], ['x', 20 * MiB - 1]),
      sparse(20 * MiB + 1, ['x', 5 * MiB]),
    ].map(async (path) => sparseDigest(await path)),
  )
  expect(new Set(digests).size).toBe(5)
})
