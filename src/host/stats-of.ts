import { readdirSync, type Stats, statSync } from 'node:fs'

/** What of an error tells that for this user there is nothing. */
const nothing = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP'])

/** Of what is at `path`, where links lead to it as well; nothing where nothing is, or this user may not look. */
export function statsOf(path: string): Stats | undefined {
  return unlessNothing(() => statSync(path))
}

/** The names in the directory `dir`; none where it is none, or this user may not look. */
export function namesIn(dir: string): string[] {
  return unlessNothing(() => readdirSync(dir)) ?? []
}

function unlessNothing<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (nothing.has((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
