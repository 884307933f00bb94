import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { RaspiError } from '../errors.ts'

/** How many playbooks an error names. */
const named = 10

/**
 * Makes sure that `path` is a file below `projectDir` or elsewhere before anything is started. A playbook of a collection
 * (`community.general.site`) is Ansible's to find. Throws a `RaspiError` that names the playbooks nearby.
 */
export function findPlaybook(path: string, projectDir: string): void {
  const file = resolve(projectDir, path)
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats?.isFile() || (!stats && /^[a-z_]\w*(\.(?!ya?ml$)[a-z_]\w*){2,}$/i.test(path))) return
  const dirs = [stats?.isDirectory() ? file : dirname(file), projectDir, join(projectDir, 'playbooks')]
  const nearby = [...new Set(dirs.flatMap(playbooksIn))]
    .map((found) => relative(projectDir, found))
    .slice(0, named)
  throw new RaspiError(
    'ansible',
    stats
      ? `The playbook ${path} is a directory`
      : `The playbook ${path} does not exist: there is no ${file}`,
    {
      hint:
        nearby.length > 0
          ? `Playbooks nearby: ${nearby.join(', ')}.`
          : `There is no playbook in ${projectDir} either.`,
    },
  )
}

/** The playbooks right in `dir`, by their paths. */
export function playbooksIn(dir: string): string[] {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) return []
  return readdirSync(dir)
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(dir, name))
    .filter(
      (file) =>
        statSync(file, { throwIfNoEntry: false })?.isFile() && looksLikePlaybook(readFileSync(file, 'utf8')),
    )
    .sort()
}

const looksLikePlaybook = (text: string) =>
  /^(- +| +)"?(hosts|(ansible\.builtin\.)?import_playbook)"?:/m.test(text)
