import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** What decides where a test's evidence is kept. */
export interface EvidencePlace {
  /** `.vitest/raspi` below Vitest's root. */
  evidenceDir: string
  /** Vitest's root. */
  root: string
  /** The name of the Vitest project; empty where it has none. */
  project: string
}

/** The directory of all evidence of a test file. No other file of the project has it. */
export function moduleDir({ evidenceDir, root, project }: EvidencePlace, file: string): string {
  const path = relative(root, file).replaceAll('\\', '/')
  return [evidenceDir, pathSlug([project, path].filter(Boolean).join('/'))].join('/')
}

/** A {@link slug} of a path that no other path has: with two hyphens for one, and with a digest where it does not tell all of the path. */
function pathSlug(path: string): string {
  const whole = path.replaceAll('-', '--').replaceAll('/', '-')
  const plain = slug(whole)
  // Of three hyphens in a row nobody knows which is the slash.
  if (plain === whole && !/-\/|\/-/.test(path)) return plain
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 8)
  return `${slug(path).slice(0, 91)}-${digest}`
}

/** A name for `text` that every file system and every CI's upload takes, of at most 100 characters. */
export function slug(text: string): string {
  const plain = text.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '')
  return plain.slice(0, 100) || '_'
}

/** Lets Git see nothing of `evidenceDir`, where the repository does not ignore it anyway. */
export async function keepFromGit(evidenceDir: string): Promise<void> {
  await writeFile(join(evidenceDir, '.gitignore'), '*\n')
}
