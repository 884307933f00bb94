import type { Command } from 'commander'
import { RaspiError } from '../../errors.ts'
import { listOf } from '../../host/list-of.ts'
import { type ProjectContext, type ProjectFlags, readProjects, type SaidProject } from './projects.ts'
import { lockNamesOf, type Setting, type SettingContext, type Settings, settings } from './settings.ts'

/** What was taken: nothing where no configuration says anything. */
type Taken<Key extends keyof Settings> = Partial<Pick<Settings, Key>>

/** The default of an option that a project may say, for the help. */
export const orElse = (standard: string) => `(default: what vitest.config.ts says, else ${standard})`

/** Adds the options that choose from where a command takes what it is not given. */
export function addProjectFlags(command: Command): Command {
  return command
    .option(
      '--config <file>',
      'the configuration of Vitest that says the rest (default: the one of the working directory)',
    )
    .option('--no-config', 'take nothing from there')
    .option('--project <name>', 'take it from the one of its projects that has exactly this name')
}

/**
 * Those of `keys` that `options` leave open, as raspi() in the configuration of the working directory's project says them.
 * Tells what is not the default. Throws a `RaspiError` where the configuration cannot be loaded, or has no project that is
 * asked for, or several with raspi() that differ in what is to be one.
 */
export async function fromProject<Key extends keyof Settings>(
  options: ProjectFlags & { readonly image?: string | readonly string[] } & {
    readonly [key in Key]?: unknown
  },
  keys: readonly Key[],
  context: ProjectContext,
): Promise<Taken<Key>> {
  const lockNames = options.image === undefined ? undefined : lockNamesOf([options.image].flat(), context.cwd)
  const open = keys.filter((key) => options[key] === undefined)
  const isNeeded = (key: Key) => !isOfLock(key) || lockNames?.length !== 0
  const isAsked = options.project !== undefined || Boolean(options.config)
  if (!isAsked && !open.some(isNeeded)) return {}
  const { file, projects } = await readProjects(options, context)
  if (projects.length === 0) return {}
  const found = open.map((key) => ({ key, ...values(key, projects, { env: context.env, lockNames }) }))
  const differ = found.filter(({ count }) => count > 1)
  if (differ.length > 0) {
    const names = listOf(projects.map(({ name }) => name))
    const flags = differ.flatMap(({ flag }) => flag ?? [])
    const orGive = flags.length === differ.length ? `, or give ${listOf(flags)}` : ''
    const what = listOf(differ.map(({ name }) => name))
    throw new RaspiError('options', `The projects ${names} of ${file} differ in ${what}.`, {
      hint: `Choose one by --project <name>${orGive}.`,
    })
  }
  const told = found.flatMap(({ told }) => told ?? [])
  const where = options.project === undefined ? file : `project ${options.project} of ${file}`
  if (told.length > 0) context.log(`From ${where}: ${told.join(', ')}.`)
  return Object.fromEntries(found.map(({ key, value }) => [key, value])) as Taken<Key>
}

const isOfLock = (key: keyof Settings) => key === 'lockDir' || key === 'lockDirs'

function values<Key extends keyof Settings>(
  key: Key,
  projects: readonly SaidProject[],
  context: SettingContext,
) {
  const { name = key, flag, of, told }: Setting<Settings[Key]> = settings[key]
  const values = of(projects, context)
  const value = values[0] as Settings[Key]
  return { value, count: values.length, name, flag, told: told(value) }
}
