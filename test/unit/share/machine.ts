import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DirectoryPlace } from '../../../src/share/directory-place.ts'
import { Share } from '../../../src/share/share.ts'

/** A machine with a cache of its own that uses the share in `dir`. */
export function machine(dir: string, name: string) {
  const said: string[] = []
  const cacheDir = join(dir, name)
  mkdirSync(cacheDir)
  const share = new Share(new DirectoryPlace(join(dir, 'share')), {
    cacheDir,
    log: (line) => said.push(line),
  })
  return { share, cacheDir, said }
}
