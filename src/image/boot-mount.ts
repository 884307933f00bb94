import { posix } from 'node:path'
import type { GuestFile } from './recipe.ts'

/** Where the boot part of a Pi is seen in its guest since 2023. */
const usualMount = '/boot/firmware'

/** Where the boot part is seen in the guest: as its fstab has it, or where it usually is. */
export function bootMountOf(fstab = ''): string {
  const lines = fstab.split('\n').map((line) => line.trim())
  const mounts = lines.filter((line) => !line.startsWith('#')).map((line) => line.split(/\s+/)[1])
  return [usualMount, '/boot'].find((path) => mounts.includes(path)) ?? usualMount
}

/** Divides files into those that are seen below `mount`, by their paths on the boot part, and those of the root part. */
export function dividedFiles(
  files: readonly GuestFile[],
  mount: string,
): { boot: Record<string, string>; root: GuestFile[] } {
  const boot: Record<string, string> = {}
  const root: GuestFile[] = []
  for (const file of files) {
    const path = posix.relative(mount, file.path)
    if (path === '' || path.startsWith('../')) root.push(file)
    // FAT has no modes.
    else boot[path] = file.text
  }
  return { boot, root }
}
