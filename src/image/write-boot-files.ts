import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { messageOf, RaspiError } from '../errors.ts'
import { searchPath } from './as-root.ts'
import { fullDisk } from './free-space.ts'
import type { Part } from './parts.ts'

/**
 * Writes `files` into a card's boot part, by their paths there; they replace those that are there. By mtools: fatfs, which reads it, fails to write where a cluster is one sector, as it is in Raspberry Pi OS since 2026. `dir` is
 * where they are in the meantime.
 */
export async function writeBootFiles(
  name: string,
  card: string,
  boot: Part,
  files: Record<string, string>,
  dir: string,
): Promise<void> {
  await mkdir(dir, { mode: 0o700 })
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await writeFile(join(dir, file), text)
  }
  const uppermost = new Set(Object.keys(files).map((file) => join(dir, file.split('/')[0] ?? '')))
  if (uppermost.size === 0) return
  const mcopy = execa('mcopy', ['-s', '-o', '-i', `${card}@@${boot.offset}`, ...uppermost, '::/'], {
    stdin: 'ignore',
    // It would refuse a file system whose geometry is not that of a floppy disk.
    env: { PATH: searchPath, MTOOLS_SKIP_CHECK: '1', LC_ALL: 'C' },
  })
  await mcopy.catch((cause) => {
    const evidence = String(cause.stderr ?? messageOf(cause))
    const full = fullDisk(name, dirname(card), evidence)
    if (full) throw full
    throw new RaspiError('image', `Image ${name} cannot be set up: its boot part cannot be written.`, {
      hint: 'Is it full, or damaged?',
      evidence,
      cause,
    })
  })
}
