import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'

/** Parts of a user's repository, as absolute paths: files, and directories with all that is in them. */
export interface SourcePaths {
  files: string[]
  dirs: string[]
}

/** What is known of a run when it is asked what it has read. */
export interface RunSources {
  /** As it was given to `ansible.playbook()`. */
  playbook: string
  projectDir: string
  /** Where its plays and tasks are written, as far as it came. */
  places: readonly string[]
  /** Further arguments, which may name files. */
  args?: readonly string[] | undefined
}

/**
 * What Ansible reads beside a playbook without being told, or looks up there by name.
 * https://docs.ansible.com/ansible/latest/tips_tricks/sample_setup.html
 */
const beside = [
  ...['group_vars', 'host_vars', 'inventory', 'inventories', 'vars', 'files', 'templates', 'collections'],
  ...['library', 'module_utils', 'action_plugins', 'filter_plugins', 'lookup_plugins', 'test_plugins'],
  ...['vars_plugins', 'callback_plugins', 'strategy_plugins'],
]

/** Where names are looked up within a role or beside a playbook. */
const lookedUp = ['', 'tasks', 'files', 'templates', 'vars']

/**
 * What a run depends on, rather too much than too little: its playbooks and task files, the whole of each role it came
 * to, the variables, templates and plugins beside its playbooks, every file that is named in any of these files, and
 * ansible.cfg. Of a run that came to no task, because something could not be read, all roles.
 */
export function sourcesOf({ playbook, projectDir, places, args = [] }: RunSources): SourcePaths {
  const main = resolve(projectDir, playbook)
  const files = new Set([
    main,
    join(projectDir, 'ansible.cfg'),
    ...places.map((path) => resolve(projectDir, path)),
  ])
  const roles = new Set([...files].flatMap(roleOf))
  const bases = new Set([projectDir, dirname(main)])
  for (const path of files) if (roleOf(path).length === 0) bases.add(dirname(path))
  const dirs = new Set([...roles, ...[...bases].flatMap((base) => beside.map((name) => join(base, name)))])
  if (places.length === 0)
    for (const base of bases) for (const name of ['roles', 'tasks']) dirs.add(join(base, name))
  const texts = [...files].map((path) => [path, read(path)] as const)
  for (const [path, text] of [...texts, [main, args.join('\n')] as const]) {
    const from = [...new Set([dirname(path), ...roleOf(path), ...bases])]
    for (const name of namesIn(text))
      for (const dir of from)
        for (const part of lookedUp) if (isFile(join(dir, part, name))) files.add(join(dir, part, name))
  }
  return { files: [...files], dirs: [...dirs] }
}

/** What an inventory at `paths` (absolute; files, or directories of them) depends on: with the variables beside it. */
export function sourcesOfInventory(paths: readonly string[]): SourcePaths {
  const beside = paths.flatMap((path) => ['group_vars', 'host_vars'].map((name) => join(dirname(path), name)))
  return { files: [...paths], dirs: [...paths, ...beside] }
}

/** Tells whether `path`, absolute, is one of `sources` or in one of their directories. */
export function isSource(path: string, { files, dirs }: SourcePaths): boolean {
  return files.includes(path) || dirs.some((dir) => path.startsWith(`${dir}/`))
}

/** The directory of the role that the file is a part of: at most one. */
function roleOf(path: string): string[] {
  for (let dir = dirname(path); dirname(dir) !== dir; dir = dirname(dir)) {
    const inRole = basename(dir) === 'tasks' || basename(dir) === 'handlers'
    if (inRole && basename(dirname(dirname(dir))) === 'roles') return [dirname(dir)]
  }
  return []
}

/** What looks like the relative path of a file. Names that Jinja puts together cannot be known. */
function namesIn(text: string): Set<string> {
  const names = text.slice(0, 256 * 1024).match(/[\w./+@~-]*[\w+~-]\.\w+/g) ?? []
  return new Set(
    names
      .map((name) => name.replace(/^@/, ''))
      .filter((name) => !isAbsolute(name))
      .slice(0, 500),
  )
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A playbook of a collection, or one that was just deleted.
    return ''
  }
}
