import { dirname, join } from 'node:path'
import type { TestProject } from 'vitest/node'

/** Where relative paths in the options of `project` begin, and its lock file is: beside its configuration. */
export function baseDirOf({ vite, config }: TestProject): string {
  // An inline configuration has no file.
  return dirname(vite.config.configFile ?? join(config.root, 'vitest.config'))
}
