import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import type { Reference } from './reference.ts'
import { type RemoteImage, remoteImageSchema } from './remote-image.ts'

/** What the file is called that says what `latest` was when it was first asked for. */
export const lockFileName = 'vitest-raspi.lock.json'

const lockSchema = z.object({ version: z.literal(1), images: z.record(z.string(), remoteImageSchema) })

/** What lock files call the image of `reference`, where they pin it: `raspios-lite-arm64@latest`. */
export function lockNameOf(reference: Reference): string | undefined {
  const isPinned = reference.kind === 'raspios' && reference.release === 'latest'
  return isPinned ? `${reference.name}@latest` : undefined
}

/** The lock file of a directory, where it has one: what is no project is not to get one. */
export function lockFileIn(dir: string): string | undefined {
  const path = join(dir, lockFileName)
  return existsSync(path) ? path : undefined
}

/** Reads the images that a lock file pins, by their names (`raspios-lite-arm64@latest`); none where there is no file. */
export function readLockFile(path: string): Record<string, RemoteImage> {
  if (!existsSync(path)) return {}
  try {
    return lockSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).images
  } catch (cause) {
    throw new RaspiError('image', `${path} cannot be read: it is not as vitest-raspi writes it.`, {
      hint: 'Take it from version control again, or delete it: then the newest images are taken.',
      cause,
    })
  }
}

/** Pins `images` in a lock file, beside those that it has, and writes it by a rename. */
export function pin(path: string, images: Record<string, RemoteImage>): void {
  const all = { ...readLockFile(path), ...images }
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify({ version: 1, images: sorted }, undefined, 2)}\n`)
  renameSync(temporary, path)
}
