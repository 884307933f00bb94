import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The files of an example by their paths, as a user would copy them. */
export function exampleFiles(name: string): Record<string, string> {
  const dir = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
  const paths = globSync('**/*', { cwd: dir, exclude: (path) => path === 'node_modules' })
  const files = paths.filter((path) => statSync(join(dir, path)).isFile())
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(dir, path), 'utf8')]))
}
