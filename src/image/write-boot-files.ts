import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { messageOf, RaspiError } from '../errors.ts'
import { searchPath } from './as-root.ts'
import type { Part } from './parts.ts'

/**
 * Writes `files` into the uppermost directory of a card's boot part; they replace those of the same names. By mtools:
 * fatfs, which reads it, fails to write where a cluster is one sector, as it is in Raspberry Pi OS since 2026. `dir` is
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
  const paths = await Promise.all(
    Object.entries(files).map(async ([file, text]) => {
      const path = join(dir, file)
      await writeFile(path, text)
      return path
    }),
  )
  if (paths.length === 0) return
  const mcopy = execa('mcopy', ['-o', '-i', `${card}@@${boot.offset}`, ...paths, '::/'], {
    stdin: 'ignore',
    // It would refuse a file system whose geometry is not that of a floppy disk.
    env: { PATH: searchPath, MTOOLS_SKIP_CHECK: '1', LC_ALL: 'C' },
  })
  await mcopy.catch((cause) => {
    throw new RaspiError('image', `Image ${name} cannot be set up: its boot part cannot be written.`, {
      hint: 'Is it full, or damaged?',
      evidence: String(cause.stderr ?? messageOf(cause)),
      cause,
    })
  })
}
