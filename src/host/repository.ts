import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** The git repository that `dir` is in; `dir` itself where it is in none, or in one that is the whole home directory. */
export function repositoryOf(dir: string): string {
  for (let top = dir; dirname(top) !== top && top !== homedir(); top = dirname(top))
    if (existsSync(join(top, '.git'))) return top
  return dir
}
