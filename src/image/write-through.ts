import { chmod, open } from 'node:fs/promises'

/** Brings `file` onto the disk, so that after a power cut it is whole or not in the cache; then it never changes. */
export async function writeThrough(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  await handle.sync()
  await handle.close()
  await chmod(file, 0o444)
}
