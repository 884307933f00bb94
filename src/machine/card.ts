import { readFile } from 'node:fs/promises'
import { RaspiError } from '../errors.ts'
import type { Place } from './place.ts'

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

/** What makes and reads cards. */
type CardPlace = Pick<Place, 'qemuImg'>

/** Makes a new, empty overlay on `base` at `path`, as large as `base`. */
export async function makeCard(place: CardPlace, base: CardBase, path: string): Promise<Card> {
  await place.qemuImg([
    ...['create', '-q', '-f', 'qcow2', '-o', clusterSize],
    ...['-b', base.path, '-F', base.format, path],
  ])
  return { path }
}

/** Has the card `path` lie on `base`, which holds the same as what it lies on: a relative path begins at the card. */
export async function rebaseCard(place: CardPlace, path: string, base: CardBase): Promise<Card> {
  await place.qemuImg(['rebase', '-q', '-u', '-f', 'qcow2', '-b', base.path, '-F', base.format, path])
  return { path }
}

/** Copies `count` bytes at `offset` of the card into the new raw file `to` of this host; both are multiples of 1 MiB. */
async function readCard(
  place: Pick<Place, 'qemuImg' | 'take' | 'dir'>,
  card: Card,
  offset: number,
  count: number,
  to: string,
): Promise<void> {
  const MiB = 1024 * 1024
  const part = `${place.dir}/part.raw`
  const range = [`bs=${MiB}`, `skip=${offset / MiB}`, `count=${(offset + count) / MiB}`]
  await place.qemuImg(['dd', '-U', '-f', 'qcow2', '-O', 'raw', ...range, `if=${card.path}`, `of=${part}`])
  await place.take(part, to)
}

/** Copies the boot part of a card (MBR, first entry) into the new raw file `to` of this host, and gives `to`. */
export async function readBootPart(
  place: Pick<Place, 'qemuImg' | 'take' | 'dir'>,
  card: Card,
  to: string,
): Promise<string> {
  const MiB = 1024 * 1024
  await readCard(place, card, 0, MiB, to)
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
  await readCard(place, card, start, count, to)
  return to
}
