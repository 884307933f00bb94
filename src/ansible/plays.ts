import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import { optionObject, variables } from '../option-objects.ts'
import { type PlaybookOptions, playbookShape } from './arguments.ts'

const playShape = {
  ...playbookShape,
  /** Variables of the play. */
  vars: variables.optional(),
  /** The play's host pattern. @default all Pis, and no host that works on this machine */
  hosts: z.string().optional(),
  /** Whether it works as root. @default true */
  become: z.boolean().optional(),
  /** Whether facts are gathered first, which takes an emulated Pi five seconds. @default for a role, true; else false */
  gatherFacts: z.boolean().optional(),
}

export const playSchema = optionObject(playShape)

/** How a role, tasks or a module are to run: as a playbook, and what a play would say. */
export type PlayOptions = z.input<typeof playSchema>

export const roleSchema = optionObject({
  ...playShape,
  /** Another file of its tasks than `main`. */
  tasksFrom: z.string().optional(),
})

/** How a role is to run. */
export type RoleOptions = z.input<typeof roleSchema>

/** A task as it is written in YAML: `{ name, 'ansible.builtin.copy': { … }, when, register, … }`. */
export interface Task {
  name?: string
  [keyword: string]: unknown
}

/** The arguments of a module: its parameters by name, or for `command` and the like a line. */
export type ModuleArguments = Record<string, unknown> | string

/** A play that this package writes, as the YAML of a playbook. */
export type Play = Record<string, unknown>

/** Options that name the play's hosts. */
type Aimed<Options extends PlayOptions> = Options & { hosts: string }

/** The options for a play on the Pis of these names where they name no hosts: the user's inventory may have more than Pis. */
export function aimedAt<Options extends PlayOptions>(
  pis: readonly string[],
  options: Options,
): Aimed<Options> {
  return { ...options, hosts: options.hosts ?? pis.join(',') }
}

/** The play that runs the role `name`: one of the search path, or a path that begins with `.` or `/`. */
export function rolePlay(name: string, options: Aimed<RoleOptions>, projectDir: string): Play {
  if (name === '') throw new RaspiError('options', 'A role has a name or a path: an empty one was given.')
  const role = /^\.{0,2}\//.test(name) || name === '.' || name === '..' ? rolePath(name, projectDir) : name
  const { tasksFrom } = options
  if (tasksFrom === undefined) return { ...head(`Role ${name}`, options, true), roles: [{ role }] }
  return {
    ...head(`Role ${name}`, options, true),
    tasks: [{ name: `Import ${name}`, 'ansible.builtin.import_role': { name: role, tasks_from: tasksFrom } }],
  }
}

/** The play that runs `tasks`. Throws a `RaspiError` where they are none. */
export function tasksPlay(tasks: readonly Task[], options: Aimed<PlayOptions>): Play {
  if (!Array.isArray(tasks) || tasks.length === 0)
    throw new RaspiError('options', 'ansible.tasks() takes a list with at least one task.')
  const odd = tasks.findIndex((task) => typeof task !== 'object' || task === null || Array.isArray(task))
  if (odd >= 0)
    throw new RaspiError(
      'options',
      `Task ${odd + 1} of ansible.tasks() is no object like { 'ansible.builtin.ping': {} }.`,
    )
  return { ...head('Tasks', options, false), tasks }
}

/** The play that runs one module. */
export function modulePlay(name: string, args: ModuleArguments, options: Aimed<PlayOptions>): Play {
  if (!/^\w+(\.\w+)*$/.test(name))
    throw new RaspiError('options', `"${name}" is no name of a module, like ansible.builtin.setup.`)
  // Tags of the configuration choose among the user's tasks, of which this is none.
  return { ...head(`Module ${name}`, options, false), tasks: [{ name, [name]: args, tags: ['always'] }] }
}

/** The options for the run, without those that went into the play. */
export function playbookOptions(options: RoleOptions): PlaybookOptions {
  const { vars, hosts, become, gatherFacts, tasksFrom, ...rest } = options
  return rest
}

function head(
  name: string,
  { vars, hosts, become = true, gatherFacts }: Aimed<PlayOptions>,
  facts: boolean,
): Play {
  return {
    name,
    hosts,
    become,
    gather_facts: gatherFacts ?? facts,
    ...(vars === undefined ? {} : { vars }),
  }
}

// Absolute, because Ansible takes a relative one from the playbook, which lies elsewhere.
function rolePath(path: string, projectDir: string): string {
  const dir = resolve(projectDir, path)
  const parts = ['tasks', 'meta', 'defaults', 'handlers', 'vars'].map((part) => join(dir, part))
  if (parts.some((part) => existsSync(part) && statSync(part).isDirectory())) return dir
  throw new RaspiError(
    'options',
    `The role ${path} does not exist: ${dir} has neither tasks nor anything else of a role.`,
  )
}
