import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { asRoot } from './as-root.ts'
import { hintFor } from './hints.ts'
import type { CardLayout, Recipe } from './recipe.ts'

const sectorBytes = 512

/**
 * Makes the sparse raw card `card` from the guest's directory `root`: MBR, part 1 FAT32 with what `root` has in
 * /boot/firmware, part 2 ext4 with all the rest, to the card's end. Empties /boot/firmware in `root`. Nothing is mounted.
 */
export async function assembleCard(
  { name, layout }: Recipe,
  root: string,
  card: string,
  signal?: AbortSignal,
): Promise<void> {
  const { cardBytes, bootStartBytes, bootBytes } = layout
  const rootStartBytes = bootStartBytes + bootBytes
  const handle = await open(card, 'wx', 0o600)
  await handle.truncate(cardBytes)
  await handle.close()

  const run = (script: string, ...args: string[]) =>
    asRoot(['sh', '-ec', script, 'sh', ...args], { signal, env: { MTOOLS_SKIP_CHECK: '1' } }).catch(
      (error) => {
        signal?.throwIfAborted()
        const evidence = String(error.stderr).split('\n').slice(-15).join('\n')
        throw new RaspiError('image', `Image ${name} cannot be built: writing its card failed.`, {
          hint: hintFor(evidence),
          evidence,
          cause: error,
        })
      },
    )

  await run('printf %s "$2" | sfdisk --quiet "$1"', card, partitionTable(layout))
  // Clusters of 2 KiB: a quarter of the chains of the default that a reader of the kernel has to follow.
  await run(
    'mkfs.vfat -F 32 -s 4 -n bootfs --offset "$2" "$1" "$3"',
    card,
    String(bootStartBytes / sectorBytes),
    String(bootBytes / 1024),
  )
  const firmware = join(root, 'boot/firmware')
  await run('test -s "$2"/kernel8.img; test -s "$2"/initramfs8', card, firmware)
  await run(
    'cd "$2"; mcopy -s -i "$1@@$3" ./* ::/; find . -mindepth 1 -delete',
    card,
    firmware,
    String(bootStartBytes),
  )
  // Initialised now and not by the guest's kernel in the background of its first boot.
  await run(
    'mke2fs -q -F -t ext4 -L rootfs -E "offset=$3,lazy_itable_init=0,lazy_journal_init=0" -d "$2" "$1" "$4k"',
    card,
    root,
    String(rootStartBytes),
    String((cardBytes - rootStartBytes) / 1024),
  )
}

/** The card's MBR as sfdisk(8) reads it: type c is FAT32 with LBA, 83 Linux. */
export function partitionTable({ diskId, bootStartBytes, bootBytes }: CardLayout): string {
  const start = bootStartBytes / sectorBytes
  const size = bootBytes / sectorBytes
  return [
    'label: dos',
    `label-id: 0x${diskId}`,
    'unit: sectors',
    '',
    `start=${start}, size=${size}, type=c`,
    `start=${start + size}, type=83`,
    '',
  ].join('\n')
}
