import { open, rm, stat, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { execa } from 'execa'
import { RaspiError } from '../errors.ts'
import { searchPath } from './as-root.ts'
import { checkSpace, fullDisk } from './free-space.ts'
import type { Part } from './parts.ts'

const GiB = 2 ** 30
const sectorBytes = 512

/** The size of the card for an image of `bytes`: QEMU wants a power of two, and playbooks want room. */
export function cardSize(bytes: number): number {
  return Math.max(4 * GiB, 2 ** Math.ceil(Math.log2(bytes + GiB)))
}

/**
 * Makes the raw image `path` as large as a card and its root part as large as can be, as a Pi does at its first boot,
 * which takes a reboot. The file system is checked before. Gives the card's size. Meanwhile it takes twice its room.
 * Throws a `RaspiError` of kind `image`.
 */
export async function growCard(
  name: string,
  path: string,
  { root, all }: { root: Part; all: Part[] },
  signal?: AbortSignal,
): Promise<number> {
  const { size: bytes, blocks } = await stat(path)
  const cardBytes = cardSize(bytes)
  const size = cardBytes - root.offset
  // Another part behind it stays where it is.
  if (all.some(({ offset }) => offset > root.offset) || size / sectorBytes > 0xffffffff) {
    await truncate(path, cardBytes)
    return cardBytes
  }
  // resize2fs cuts a file off where the file system ends, as if nothing could stand before it. So it gets its own.
  const own = `${path}.root`
  const dir = dirname(path)
  await checkSpace(name, dir, blocks * 512, 'setting it up needs')
  await copyPart(name, path, root, own, 'out', signal)
  await run(name, dir, 'e2fsck', ['-fp', own], [0, 1], signal)
  await truncate(own, size)
  await run(name, dir, 'resize2fs', [own], [0], signal)
  await truncate(path, root.offset)
  await truncate(path, cardBytes)
  await copyPart(name, path, { offset: root.offset, size }, own, 'back', signal)
  await rm(own)
  await writePartSize(path, root.number, size / sectorBytes)
  return cardBytes
}

/** Makes sure that the root file system of a card is in order; nothing is written. */
export async function checkRoot(name: string, path: string, root: Part, signal?: AbortSignal): Promise<void> {
  // So e2fsprogs names a file system within a file.
  await run(name, dirname(path), 'e2fsck', ['-fn', `${path}?offset=${root.offset}`], [0], signal)
}

async function run(
  name: string,
  dir: string,
  program: 'e2fsck' | 'resize2fs' | 'qemu-img',
  args: string[],
  fine: readonly number[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { exitCode, all, originalMessage } = await execa(program, args, {
    ...{ all: true, reject: false, stdin: 'ignore', env: { LC_ALL: 'C', PATH: searchPath } },
    ...(signal ? { cancelSignal: signal } : {}),
  })
  signal?.throwIfAborted()
  if (exitCode !== undefined && fine.includes(exitCode)) return
  const evidence = all?.split('\n').slice(-10).join('\n') || originalMessage || ''
  const full = fullDisk(name, dir, evidence)
  if (full) throw full
  throw new RaspiError('image', `Image ${name} cannot be used: ${program} fails on its root file system.`, {
    hint: 'The image is damaged, or has features that e2fsprogs of this host is too old for.',
    evidence,
  })
}

/** Copies the root part out of a card into the new file `to`, or back, without what is all zeros, and without its time. */
async function copyPart(
  name: string,
  card: string,
  { offset, size }: Pick<Part, 'offset' | 'size'>,
  own: string,
  way: 'out' | 'back',
  signal: AbortSignal | undefined,
): Promise<void> {
  // A comma is doubled in what QEMU reads as options.
  const part = `driver=raw,offset=${offset},size=${size},file.filename=${card.replaceAll(',', ',,')}`
  const args =
    way === 'out'
      ? ['--image-opts', '-O', 'raw', part, own]
      : ['-f', 'raw', '-n', '--target-is-zero', '--target-image-opts', own, part]
  await run(name, dirname(own), 'qemu-img', ['convert', ...args], [0], signal)
}

/** The MBR's entries are of 16 bytes each, from 446 on; the count of sectors is at 12. */
async function writePartSize(path: string, number: number, sectors: number): Promise<void> {
  const entry = Buffer.alloc(4)
  entry.writeUInt32LE(sectors)
  const file = await open(path, 'r+')
  try {
    await file.write(entry, 0, 4, 446 + 16 * (number - 1) + 12)
  } finally {
    await file.close()
  }
}
