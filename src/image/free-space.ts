import { statfs } from 'node:fs/promises'
import { RaspiError } from '../errors.ts'

const makeRoom = 'Make room, or set VITEST_RASPI_CACHE to a directory on another disk.'

/** Throws a `RaspiError` where `dir` has less than `bytes` free; `what` says for what: "a build needs". */
export async function checkSpace(image: string, dir: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(dir)
  if (bavail * bsize >= bytes) return
  throw new RaspiError(
    'image',
    `Image ${image} has no room: ${dir} has ${megabytes(bavail * bsize)} free, ${what} ${megabytes(bytes)}.`,
    { hint: makeRoom },
  )
}

/** What is to be said of an error that writing to the cache gave; anything else is given back as it is. */
export function writeError(image: string, dir: string, error: unknown): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return noRoom(image, dir, error)
  // A recursive mkdir says ENOENT where it cannot write: https://github.com/nodejs/node/issues/31481
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || (code === 'ENOENT' && syscall === 'mkdir'))
    return new RaspiError('image', `Image ${image} cannot be kept: ${dir} cannot be written to.`, {
      hint: 'Make it yours, or set VITEST_RASPI_CACHE to a directory that is.',
      cause: error,
    })
  return error
}

/** The same where a program wrote, by what it said: the error of a full disk, or `undefined` where it is something else. */
export function fullDisk(image: string, dir: string, said: string): RaspiError | undefined {
  return /no space left on device|disk quota exceeded/i.test(said) ? noRoom(image, dir, said) : undefined
}

function noRoom(image: string, dir: string, cause: unknown): RaspiError {
  return new RaspiError('image', `Image ${image} has no room: the disk of ${dir} is full.`, {
    hint: makeRoom,
    cause,
  })
}

/** A size for people: `512 MB`, `2.8 GB`. */
export function megabytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes >= 9.5e6 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e6).toFixed(1)} MB`
}
