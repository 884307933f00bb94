import { dirname, join } from 'node:path'
import type { TestProject, Vitest } from 'vitest/node'

/** Where relative paths in the options of a project begin, and what it keeps in its repository lies: beside its configuration. */
export function baseDirOf({ vite, config }: TestProject | Vitest): string {
  // An inline configuration has no file.
  return dirname(vite.config.configFile ?? join(config.root, 'vitest.config'))
}
