import { isAbsolute, relative } from 'node:path'

/** Whether `path` is `dir` or lies in it. */
export function isInside(path: string, dir: string): boolean {
  const inside = relative(dir, path)
  return inside === '' || (inside !== '..' && !inside.startsWith('../') && !isAbsolute(inside))
}

/** `path` as it is called in keys and messages: relative to `dir` where it lies in it, `.` where it is that. */
export function shownPath(path: string, dir: string): string {
  return isInside(path, dir) ? relative(dir, path) || '.' : path
}
