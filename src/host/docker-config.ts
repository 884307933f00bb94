import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { homeDir } from './paths.ts'

/** Where Docker's own programs have their configuration: `$DOCKER_CONFIG`, else `~/.docker`. */
export function dockerConfigDir(env: NodeJS.ProcessEnv): string {
  return env.DOCKER_CONFIG || join(homeDir(), '.docker')
}

/** The text of a file there; empty where it cannot be read. */
export function dockerConfigText(env: NodeJS.ProcessEnv, file = 'config.json'): string {
  try {
    return readFileSync(join(dockerConfigDir(env), file), 'utf8')
  } catch {
    return ''
  }
}
