import { isAbsolute, relative } from 'node:path'

/** Whether `path` is `dir` or lies in it. */
export function isInside(path: string, dir: string): boolean {
  const inside = relative(dir, path)
  return inside === '' || (inside !== '..' && !inside.startsWith('../') && !isAbsolute(inside))
}

/** `path` as it is called in keys and messages: relative to the project where it is part of it. */
export function shownPath(path: string, projectDir: string): string {
  return isInside(path, projectDir) ? relative(projectDir, path) || '.' : path
}
