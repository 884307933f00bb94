import { existsSync } from 'node:fs'
import type { SearchPaths } from '../ansible/galaxy.ts'
import { type Inputs, inputsOf } from './inputs.ts'

/** When and where from a role was installed, beside it: the same role has another one in each run. */
const installInfo = /(^|\/)\.galaxy_install_info$/

/** The directories that requirements were installed into. */
export function installedDirs(paths: SearchPaths | undefined): string[] {
  return paths ? [...paths.roles, ...paths.collections] : []
}

/** Names the content of what requirements have installed into `paths`, wherever that is in this run. */
export async function installedOf(paths: SearchPaths | undefined): Promise<Inputs> {
  const dirs = installedDirs(paths).filter((dir) => existsSync(dir))
  const inputs = await Promise.all(dirs.map((dir) => inputsOf({ dirs: [dir], files: [] }, dir)))
  return Object.fromEntries(
    inputs
      .flatMap((each) => Object.entries(each))
      .filter(([name]) => !installInfo.test(name))
      .map(([name, content]) => [`requirements/${name}`, content]),
  )
}
