import { constants, copyFile, readFile } from 'node:fs/promises'
import { execa } from 'execa'
import { RaspiError } from '../errors.ts'

/** A Pi's SD card: a qcow2 overlay that holds only what differs from what it lies on. */
export interface Card {
  path: string
}

/** What a card can lie on. */
export interface CardBase {
  path: string
  format: 'raw' | 'qcow2'
}

/**
 * A Pi writes little, here and there: with qcow2's default of 64 KiB a thawed one's card had 2.9 MB before its test
 * began. https://www.qemu.org/docs/master/system/images.html
 */
const clusterSize = 'cluster_size=16k'

/** Makes a new, empty overlay on `base` at `path`, as large as `base`. */
export async function makeCard(qemuImg: string, base: CardBase, path: string): Promise<Card> {
  await run(qemuImg, [
    ...['create', '-q', '-f', 'qcow2', '-o', clusterSize],
    ...['-b', base.path, '-F', base.format, path],
  ])
  return { path }
}

/**
 * Copies the card `from` to `to`, where it lies on the same as before, which `base` names from there: a relative path is
 * relative to `to`.
 */
export async function copyCard(qemuImg: string, from: Card, base: CardBase, to: string): Promise<Card> {
  await copyFile(from.path, to, constants.COPYFILE_FICLONE)
  await run(qemuImg, ['rebase', '-q', '-u', '-f', 'qcow2', '-b', base.path, '-F', base.format, to])
  return { path: to }
}

/** Copies `count` bytes at `offset` of the card into the new raw file `to`; both are multiples of 1 MiB. */
export async function readCard(
  qemuImg: string,
  card: Card,
  offset: number,
  count: number,
  to: string,
): Promise<void> {
  const MiB = 1024 * 1024
  await run(qemuImg, [
    ...[
      'dd',
      '-U',
      '-f',
      'qcow2',
      '-O',
      'raw',
      `bs=${MiB}`,
      `skip=${offset / MiB}`,
      `count=${(offset + count) / MiB}`,
    ],
    ...[`if=${card.path}`, `of=${to}`],
  ])
}

async function run(qemuImg: string, args: string[]): Promise<void> {
  const { failed, stderr, shortMessage } = await execa(qemuImg, args, { reject: false })
  if (!failed) return
  const why = stderr.replace(/^qemu-img: /, '').split('\n')[0] || shortMessage
  throw new RaspiError('boot', `The Pi's card could not be written: ${why}`, {
    hint: 'Is the disk full, or the cache directory not yours? `npx vitest-raspi doctor` tells.',
  })
}

/** Copies the boot part of a card (MBR, first entry) into the new raw file `to`, and gives `to`. */
export async function readBootPart(qemuImg: string, card: Card, to: string): Promise<string> {
  const MiB = 1024 * 1024
  await readCard(qemuImg, card, 0, MiB, to)
  const mbr = await readFile(to)
  // The first of the four partition entries of 16 bytes: first sector at +8, sectors at +12, of 512 bytes.
  const [start, count] = [mbr.readUInt32LE(446 + 8) * 512, mbr.readUInt32LE(446 + 12) * 512]
  if (mbr.readUInt16LE(510) !== 0xaa55 || count === 0 || start % MiB !== 0 || count % MiB !== 0) {
    throw new RaspiError(
      'firmware',
      "The Pi's card has no boot partition that starts and ends at a whole MiB",
      {
        hint: 'The guest has overwritten its partition table, or the image is none of a Raspberry Pi.',
      },
    )
  }
  await readCard(qemuImg, card, start, count, to)
  return to
}
