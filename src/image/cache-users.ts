import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateDir } from '../host/paths.ts'
import { readLockFile } from './lock-file.ts'
import type { RemoteImage } from './remote-image.ts'

const usersDir = (cacheDir: string) => join(cacheDir, 'users')

/** Remembers in the cache that a lock file may name images of it. A cache that cannot be written remembers nothing. */
export function noteLockFile(cacheDir: string, lockFile: string): void {
  const name = createHash('sha256').update(lockFile).digest('hex').slice(0, 16)
  const note = join(usersDir(cacheDir), name)
  if (existsSync(note)) return
  try {
    privateDir(usersDir(cacheDir))
    writeFileSync(note, lockFile)
  } catch {}
}

/** The lock files that name images of the cache and are still there, with what they name: those it knows, and `others`. */
export function lockFilesOf(
  cacheDir: string,
  others: readonly string[] = [],
): { path: string; images: RemoteImage[] }[] {
  const dir = usersDir(cacheDir)
  const noted = existsSync(dir) ? readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8')) : []
  return [...new Set([...noted, ...others])]
    .filter((path) => existsSync(path))
    .map((path) => ({ path, images: Object.values(readLockFile(path)) }))
}
