import { createHash } from 'node:crypto'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { shownPath } from '../host/shown-path.ts'
import { namesIn } from '../host/stats-of.ts'
import { isIgnored, type Places } from './places.ts'

/**
 * What a playbook reads, by name: files relative to the project, or absolute where they are elsewhere; listed directories
 * with a `/` behind. The values name the content.
 */
export type Inputs = Record<string, string>

/** Names the content of all files in `places`. */
export async function inputsOf(places: Places, projectDir: string): Promise<Inputs> {
  const files = [...places.files]
  for (const dir of places.dirs) await addFiles(dir, files, [])
  return contentsOf(
    files.map((file) => shownPath(file, projectDir)),
    projectDir,
  )
}

/** Names the content of what has these names. */
export async function contentsOf(names: Iterable<string>, projectDir: string): Promise<Inputs> {
  const inputs: Inputs = {}
  for (const name of [...new Set(names)].sort()) {
    const path = resolve(projectDir, name)
    inputs[name] = await (name.endsWith('/') ? listing(path) : content(path))
  }
  return inputs
}

/** A SHA-256 of what `value` is as JSON. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

async function addFiles(dir: string, files: string[], parents: string[]): Promise<void> {
  const real = await realpath(dir)
  if (parents.includes(real)) return
  for (const name of namesIn(dir).sort()) {
    if (isIgnored(name)) continue
    const path = join(dir, name)
    // Links are followed, as Ansible does.
    const stats = await stat(path).catch(() => undefined)
    if (stats?.isDirectory()) await addFiles(path, files, [...parents, real])
    else files.push(path)
  }
}

async function content(path: string): Promise<string> {
  try {
    const stats = await stat(path)
    if (!stats.isFile()) return 'no file'
    const hash = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    // What Git keeps of a file's mode, and `copy` with `mode: preserve` hands on.
    return stats.mode & 0o100 ? `${hash} executable` : hash
  } catch {
    return 'missing'
  }
}

async function listing(dir: string): Promise<string> {
  try {
    return digest((await readdir(dir)).filter((name) => !isIgnored(name)).sort())
  } catch {
    return 'missing'
  }
}
