import { stat, utimes } from 'node:fs/promises'

/**
 * Notes that `dir` is used now, by its modification time: what is kept in it is never changed, so that it tells nothing
 * else. Best effort: a cache that cannot be written is nobody's to clear.
 */
export async function markUsed(dir: string): Promise<void> {
  const now = new Date()
  await utimes(dir, now, now).catch(() => {})
}

/** When `dir` was used last, as {@link markUsed} noted it, or else made. */
export async function lastUse(dir: string): Promise<Date> {
  return (await stat(dir)).mtime
}
