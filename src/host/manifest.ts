import { readFileSync } from 'node:fs'

/** What this package's package.json has. */
export interface Manifest {
  version: string
  engines: { node: string }
  peerDependencies: { vitest: string }
}

/** Reads this package's package.json. An old Node has to be able to load this, too: it is told so with it. */
export function manifest(): Manifest {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
}
