import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The path of `part` (`vitest/node`) of the Vitest that the project in `root` has; nothing where it has none. */
export function ownVitest(root: string, part: string): string | undefined {
  try {
    return createRequire(join(root, 'package.json')).resolve(part)
  } catch {
    return undefined
  }
}
