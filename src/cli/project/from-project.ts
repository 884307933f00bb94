import type { Command } from 'commander'
import { RaspiError } from '../../errors.ts'
import { listOf } from '../../host/list-of.ts'
import { type ProjectContext, type ProjectFlags, readProjects, type SaidProject } from './projects.ts'
import { type Setting, type Settings, settings } from './settings.ts'

/** What was taken, and the directories of the configurations it is from: where the user is, if it is from none. */
type Taken<Key extends keyof Settings> = Partial<Pick<Settings, Key>> & { dirs: string[] }

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
 * Tells what is not the default. Throws a `RaspiError` where the configuration cannot be loaded, or has several projects
 * with raspi() that differ in what is to be one.
 */
export async function fromProject<Key extends keyof Settings>(
  options: ProjectFlags & { readonly [key in Key]?: unknown },
  keys: readonly Key[],
  context: ProjectContext,
): Promise<Taken<Key>> {
  const open = keys.filter((key) => options[key] === undefined)
  if (open.length === 0) return { dirs: [context.cwd] } as Taken<Key>
  const { file, projects } = await readProjects(options, context)
  if (projects.length === 0) return { dirs: [context.cwd] } as Taken<Key>
  const found = open.map((key) => ({ key, ...values(key, projects, context.env) }))
  const differ = found.filter(({ count }) => count > 1).map(({ key }) => key)
  if (differ.length > 0) {
    const names = listOf(projects.map(({ name }) => name))
    const flags = listOf(differ.map((key) => settings[key].flag))
    throw new RaspiError('options', `The projects ${names} of ${file} differ in ${listOf(differ)}.`, {
      hint: `Choose one by --project <name>, or give ${flags}.`,
    })
  }
  const told = found.flatMap(({ told }) => told ?? [])
  const where = options.project === undefined ? file : `project ${options.project} of ${file}`
  if (told.length > 0) context.log(`From ${where}: ${told.join(', ')}.`)
  return {
    ...Object.fromEntries(found.map(({ key, value }) => [key, value])),
    dirs: [...new Set(projects.map(({ baseDir }) => baseDir))],
  } as Taken<Key>
}

function values<Key extends keyof Settings>(
  key: Key,
  projects: readonly SaidProject[],
  env: NodeJS.ProcessEnv,
) {
  const { of, told }: Setting<Settings[Key]> = settings[key]
  const values = of(projects, env)
  const value = values[0] as Settings[Key]
  return { value, count: values.length, told: told(value) }
}
