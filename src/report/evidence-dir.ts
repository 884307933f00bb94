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
  return [evidenceDir, slug([project, path].filter(Boolean).join('/'))].join('/')
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
