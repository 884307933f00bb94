import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { execa } from 'execa'

const blockBytes = 4 * 1024 * 1024
const zeros = Buffer.alloc(blockBytes)

/**
 * The SHA-256 of a sparse file's content: of each block of 4 MiB that is not all zeros, with its number, and of the
 * file's size. Most of a card and of a Pi's RAM is holes, which are not even read.
 */
export async function sparseDigest(path: string): Promise<string> {
  const hash = createHash('sha256')
  const block = Buffer.alloc(blockBytes)
  const isHole = await holesOf(path)
  const file = await open(path)
  try {
    const { size } = await file.stat()
    for (let index = 0; index * blockBytes < size; index++) {
      if (isHole(index)) continue
      const { bytesRead } = await file.read(block, 0, blockBytes, index * blockBytes)
      const read = block.subarray(0, bytesRead)
      if (!read.equals(zeros.subarray(0, bytesRead))) hash.update(`${index}:`).update(read)
    }
    hash.update(`size ${size}`)
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

/** Tells which blocks have no data on the disk. Node cannot ask for that, qemu-img can; where it is not, all are read. */
async function holesOf(path: string): Promise<(index: number) => boolean> {
  const { stdout, failed } = await execa('qemu-img', ['map', '-U', '-f', 'raw', '--output=json', path], {
    reject: false,
  })
  if (failed) return () => false
  const parts = JSON.parse(stdout) as { start: number; length: number; data: boolean }[]
  const full = new Set<number>()
  for (const { start, length, data } of parts) {
    if (!data) continue
    const last = Math.floor((start + length - 1) / blockBytes)
    for (let index = Math.floor(start / blockBytes); index <= last; index++) full.add(index)
  }
  return (index) => !full.has(index)
}
