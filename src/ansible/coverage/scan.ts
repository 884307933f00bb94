import { globSync, readFileSync, statSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { type Outline, outlineOf } from './outline.ts'

/** Which files of a project count, as globs relative to it. */
export interface CoveredFiles {
  include: readonly string[]
  exclude: readonly string[]
}

/** What is never the project's own. */
const foreign = ['**/node_modules/**', '**/.*/**']

/** The size of the largest file that is read, in bytes: no list of tasks is larger, but a file of data may be. */
const largest = 1024 * 1024

/**
 * The playbooks and the lists of tasks and handlers of the project in `dir`, by their path relative to it: what lies in a
 * directory `tasks` or `handlers`, what looks like a playbook, what these include, and what a run has had tasks from
 * (`known`).
 */
export function scanProject(
  dir: string,
  { include, exclude }: CoveredFiles,
  known: (path: string) => boolean,
): Map<string, Outline> {
  const paths = globSync([...include], { cwd: dir, exclude: [...exclude, ...foreign] })
    .map((found) => found.split(sep).join('/'))
    .sort()
  const outlines = new Map<string, Outline>()
  const lists = new Set(paths.filter(known))
  // A list that is found to be one may include others.
  for (let found = -1; found !== outlines.size; ) {
    found = outlines.size
    for (const path of paths.filter((path) => !outlines.has(path))) {
      const outline = readOutline(join(dir, path), path, lists.has(path))
      if (!outline) continue
      outlines.set(path, outline)
      for (const list of outline.lists) lists.add(posix.join(posix.dirname(path), list))
    }
  }
  return new Map(
    paths.flatMap((path) => {
      const outline = outlines.get(path)
      return outline && outline.tasks.length > 0 ? [[path, outline]] : []
    }),
  )
}

function readOutline(file: string, path: string, known: boolean): Outline | undefined {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (!stats?.isFile() || stats.size > largest) return undefined
  const text = readFileSync(file, 'utf8')
  const [, list] = /(?:^|\/)(tasks|handlers)\/(?:.*\/)?[^/]+$/.exec(path) ?? []
  if (list === 'tasks' || list === 'handlers') return outlineOf(text, list)
  return outlineOf(text) ?? (known ? outlineOf(text, 'tasks') : undefined)
}
