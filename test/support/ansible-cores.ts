import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const fetched = fileURLToPath(new URL('../../.vitest/ansible-core/[0-9]*/bin', import.meta.url))

/**
 * The directories with the programs of other ansible-cores than the PATH's: those that VITEST_RASPI_ANSIBLE_PATHS names,
 * separated by colons, or else what `npm run fetch:ansible` has brought.
 */
export function otherAnsibleCores(env: NodeJS.ProcessEnv = process.env): string[] {
  const named = env.VITEST_RASPI_ANSIBLE_PATHS
  return named === undefined ? globSync(fetched).sort() : named.split(':').filter(Boolean)
}
