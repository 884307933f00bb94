import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { privateDir } from '../host/paths.ts'
import { scratchName } from '../host/scratch.ts'
import type { Share } from '../share/share.ts'
import { namesSchema, readRecord } from './records.ts'

/** What the file is called that has these names. */
export const namesFileName = 'reads.json'

/** Under what a share has the names of what a playbook was seen to read: with them another machine knows which layer is its. */
const entryName = (recipe: string) => `layers/${recipe}`

/** The names of what a recipe's playbook was seen to read by another machine; nothing where a share does not know. */
export async function fetchNames(
  share: Share,
  recipe: string,
  { cacheDir, signal }: { cacheDir: string; signal: AbortSignal },
): Promise<string[] | undefined> {
  const dir = join(privateDir(cacheDir, 'tmp'), scratchName('frozen'))
  try {
    if (!(await share.fetch(entryName(recipe), dir, signal))) return undefined
    const names = await readRecord(join(dir, namesFileName), namesSchema)
    if (!names) share.refuse(entryName(recipe), `${namesFileName} has no names`)
    return names
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Shares the names in the file at `path`, which is called {@link namesFileName}. */
export function offerNames(share: Share, recipe: string, path: string): void {
  share.offer(entryName(recipe), [path])
}
