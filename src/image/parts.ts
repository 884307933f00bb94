import { open } from 'node:fs/promises'
import partitioninfo from 'partitioninfo'
import { RaspiError } from '../errors.ts'

/** One partition of a card, in bytes. */
export interface Part {
  number: number
  offset: number
  size: number
  /** The type that the MBR gives it: 0x0c is FAT32, 0x83 Linux. */
  type: number
  /** What is on it. */
  fileSystem: FileSystem
}

export type FileSystem =
  | 'FAT'
  | 'ext4'
  | 'ext2 or ext3'
  | 'btrfs'
  | 'f2fs'
  | 'xfs'
  | 'squashfs'
  | 'nothing known'

/** A partition table, and what is on the parts. */
export interface PartTable {
  type: 'mbr' | 'gpt' | 'none'
  parts: Part[]
}

/** Where file systems have their marks: https://git.kernel.org/pub/scm/utils/util-linux/util-linux.git/tree/libblkid/src/superblocks */
const marks: [FileSystem, number, Buffer][] = [
  ['btrfs', 0x10040, Buffer.from('_BHRfS_M')],
  ['f2fs', 1024, Buffer.from('1020f5f2', 'hex')],
  ['xfs', 0, Buffer.from('XFSB')],
  ['squashfs', 0, Buffer.from('hsqs')],
]

/** Reads the partition table of a raw image, whatever it has on it. */
export async function readPartTable(path: string): Promise<PartTable> {
  const file = await open(path)
  try {
    const read = async (offset: number, length: number) =>
      (await file.read(Buffer.alloc(length), 0, length, offset)).buffer
    const table = await partitioninfo.getPartitions(path).catch(() => undefined)
    if (!table) return { type: 'none', parts: [] }
    const parts: Part[] = []
    for (const { index, offset, size, type } of table.partitions)
      parts.push({
        ...{ number: index, offset, size, type: typeof type === 'number' ? type : 0 },
        fileSystem: await fileSystemAt((at, length) => read(offset + at, length)),
      })
    return { type: table.type, parts }
  } finally {
    await file.close()
  }
}

async function fileSystemAt(read: (offset: number, length: number) => Promise<Buffer>): Promise<FileSystem> {
  const ext = await read(1024, 1024)
  // The magic, and the feature that ext4 has before others: https://docs.kernel.org/filesystems/ext4/super.html
  if (ext.readUInt16LE(56) === 0xef53) return ext.readUInt32LE(96) & 0x40 ? 'ext4' : 'ext2 or ext3'
  for (const [name, offset, mark] of marks) if ((await read(offset, mark.length)).equals(mark)) return name
  const first = await read(0, 512)
  const fat =
    first.toString('latin1', 54, 59).trim() === 'FAT' || first.toString('latin1', 82, 87) === 'FAT32'
  return fat || /^FAT1[26]/.test(first.toString('latin1', 54, 62)) ? 'FAT' : 'nothing known'
}

/** The two parts of a Pi's card. Throws a `RaspiError` that tells what was found where it is none. */
export async function readCardParts(
  name: string,
  path: string,
): Promise<{ boot: Part; root: Part; all: Part[] }> {
  const { type, parts } = await readPartTable(path)
  const boot = parts.find(({ number }) => number === 1)
  const root = parts.find(({ number }) => number === 2)
  if (type === 'mbr' && boot?.fileSystem === 'FAT' && root?.fileSystem === 'ext4')
    return { boot, root, all: parts }
  throw new RaspiError(
    'image',
    `Image ${name} is none of a Raspberry Pi: it has ${describe({ type, parts })}.`,
    {
      hint: 'A Pi of vitest-raspi boots from an MBR partition table with a FAT part 1 (boot) and an ext4 part 2 (root).',
    },
  )
}

/** `an MBR partition table with 1: FAT, 2: ext4`. */
export function describe({ type, parts }: PartTable): string {
  if (type === 'none') return 'no partition table'
  const list = parts.map(({ number, fileSystem }) => `${number}: ${fileSystem}`).join(', ')
  return `${type === 'mbr' ? 'an MBR' : 'a GPT'} partition table with ${list || 'no partitions'}`
}
