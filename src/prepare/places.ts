import { dirname, join, relative, resolve } from 'node:path'
import type { AnsibleConfig } from '../ansible/config.ts'
import { isInside } from '../host/shown-path.ts'
import { namesIn, statsOf } from '../host/stats-of.ts'

/** What Ansible may read without a playbook naming it. Absolute paths. */
export interface Places {
  /** Everything below counts. */
  dirs: string[]
  files: string[]
}

/** Directories beside a playbook, or in the project, that Ansible or people use for what playbooks read. */
const dirNames =
  /^(roles|collections|(group|host)_vars|vars|defaults|meta|tasks|handlers|templates|files|library|module_utils|plugins|\w+_plugins|inventor(y|ies)\w*)$/

/** Files there. Hidden ones are other tools' (.ansible-lint, .gitlab-ci.yml). */
const fileNames = /^[^.].*\.(ya?ml|j2|jinja2?|cfg|ini)$/i

/** The settings that hold paths of plugins and modules: https://docs.ansible.com/ansible/latest/reference_appendices/config.html */
const pluginPaths = [
  ...'ACTION CALLBACK CONNECTION FILTER INVENTORY LOOKUP STRATEGY TEST VARS'.split(' ').map((kind) => {
    return `DEFAULT_${kind}_PLUGIN_PATH`
  }),
  ...['BECOME_PLUGIN_PATH', 'DEFAULT_MODULE_PATH', 'DEFAULT_MODULE_UTILS_PATH'],
]

/** What a directory of a role has: one of these. https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_reuse_roles.html */
const roleParts = ['tasks', 'handlers', 'defaults', 'vars', 'files', 'templates', 'meta', 'library']

/**
 * The places that Ansible looks into of its own accord when it runs `playbook` (relative to `projectDir`): beside the
 * playbook, in the project, and where the configuration says. More rather than less: what is left out and read all the
 * same would leave stale layers.
 */
export function placesOf(playbook: string, projectDir: string, config: AnsibleConfig): Places {
  const file = resolve(projectDir, playbook)
  const bases = [...new Set([projectDir, ...(kindOf(file) === 'file' ? [dirname(file)] : [])])]
  const entries = bases.flatMap((base) => entriesOf(base))
  const dirs = entries.filter((path) => dirNames.test(nameOf(path)) && kindOf(path) === 'dir')
  const files = entries.filter((path) => fileNames.test(nameOf(path)) && kindOf(path) === 'file')
  if (kindOf(file) === 'file') files.push(file)

  files.push(...pathsIn(config, 'CONFIG_FILE').filter((path) => kindOf(path) === 'file'))
  dirs.push(...pluginPaths.flatMap((name) => pathsIn(config, name)).filter((path) => kindOf(path) === 'dir'))
  // Not the path itself: it may be the project, or the directory that the project is in.
  dirs.push(...pathsIn(config, 'DEFAULT_ROLES_PATH').flatMap(entriesOf).filter(looksLikeRole))
  for (const path of ['COLLECTIONS_PATHS', 'COLLECTIONS_PATH'].flatMap((name) => pathsIn(config, name))) {
    const collections = join(path, 'ansible_collections')
    if (isInside(path, projectDir) && kindOf(collections) === 'dir') dirs.push(collections)
    // Elsewhere there may be hundreds: their versions, and the files that are seen to be read.
    else files.push(...manifestsOf(collections))
  }
  return { dirs: outermost(dirs), files: [...new Set(files)].sort() }
}

/** Names that never hold what a playbook is made of. A playbook that reads below them all the same is seen to do so. */
export function isIgnored(name: string): boolean {
  return /^(node_modules|\.git|\.vitest|\.venv|__pycache__)$|\.(pyc|retry|sw[op])$|~$|^\.#/.test(name)
}

function manifestsOf(collections: string): string[] {
  return entriesOf(collections)
    .flatMap(entriesOf)
    .flatMap((collection) => ['MANIFEST.json', 'galaxy.yml'].map((name) => join(collection, name)))
    .filter((path) => kindOf(path) === 'file')
}

function pathsIn(config: AnsibleConfig, name: string): string[] {
  return [config.value(name)].flat().filter((path) => typeof path === 'string')
}

function looksLikeRole(path: string): boolean {
  return kindOf(path) === 'dir' && roleParts.some((part) => kindOf(join(path, part)) === 'dir')
}

/** Without those that lie in another of them. */
function outermost(dirs: string[]): string[] {
  const all = [...new Set(dirs)].sort()
  return all.filter((dir) => !all.some((other) => other !== dir && isInside(dir, other)))
}

function entriesOf(dir: string): string[] {
  return namesIn(dir)
    .filter((name) => !isIgnored(name))
    .sort()
    .map((name) => join(dir, name))
}

const nameOf = (path: string) => relative(dirname(path), path)

function kindOf(path: string): 'dir' | 'file' | undefined {
  const stats = statsOf(path)
  return stats?.isDirectory() ? 'dir' : stats?.isFile() ? 'file' : undefined
}
