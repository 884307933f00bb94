import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * The directory in which images, frozen Pis and keys are kept between runs: `$VITEST_RASPI_CACHE`, else
 * `$XDG_CACHE_HOME/vitest-raspi`, else `~/.cache/vitest-raspi`.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.VITEST_RASPI_CACHE) return resolve(expandHome(env.VITEST_RASPI_CACHE))
  return join(env.XDG_CACHE_HOME || join(homeDir(), '.cache'), 'vitest-raspi')
}

/** Makes `dir` and its parents, open to its owner only, and gives its path. */
export function privateDir(...parts: string[]): string {
  const dir = join(...parts)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  return dir
}

/** `path` with the home directory for a `~` at its beginning, as shells have it. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, homeDir())
}

/** The home directory; `/`, as container engines have it, for a user who has neither HOME nor an entry in passwd. */
export function homeDir(): string {
  try {
    return homedir()
  } catch {
    return '/'
  }
}
