import { existsSync } from 'node:fs'
import { extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { execa } from 'execa'
import { RaspiError } from '../../errors.ts'
import { listOf } from '../../host/list-of.ts'
import type { ResolvedOptions } from '../../options.ts'
import { ownVitest } from '../own-vitest.ts'

/** What raspi() in a project of Vitest's says, of that for which commands have options. */
export interface SaidProject extends Pick<ResolvedOptions, 'image' | 'board' | 'engine'> {
  /** Vitest's name of it; empty where the configuration has no projects. */
  name: string
  /** Where relative paths of `image` begin. */
  baseDir: string
  cacheDir: string | undefined
  maxPis: number | undefined
}

/** What ask-vitest.ts answers. */
export type VitestAnswer = { projects: SaidProject[] } | { failed: string }

/** The options by which a command line chooses what is read. */
export interface ProjectFlags {
  /** The path of a configuration, or `false` for none. @default the one that Vitest would find */
  config?: string | false
  /** The name of the only project that counts. @default all */
  project?: string
}

/** Where the user is, and how what takes long or is printed meanwhile is told. */
export interface ProjectContext {
  cwd: string
  env: NodeJS.ProcessEnv
  log: (line: string) => void
}

/** The projects with raspi() in a configuration. */
export interface SaidProjects {
  /** The configuration, as people call it. */
  file: string
  projects: SaidProject[]
}

/** As Vitest looks for them: https://vitest.dev/config/#configuring-vitest */
const configNames = ['vitest.config', 'vite.config'].flatMap((name) =>
  ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((extension) => `${name}.${extension}`),
)

const program = fileURLToPath(new URL(`./ask-vitest${extname(import.meta.url)}`, import.meta.url))

/** How long a configuration may take to be loaded, in ms. */
const loadMs = 120_000

/**
 * Has the project's own Vitest load its configuration, and gives its projects with raspi(): none where there is no
 * configuration or no Vitest. Throws a `RaspiError` where the configuration cannot be loaded, or has no project of the name
 * that is asked for.
 */
export async function readProjects(
  { config, project }: ProjectFlags,
  { cwd, env, log }: ProjectContext,
): Promise<SaidProjects> {
  const path = configIn(cwd, config)
  const file = path ? relative(cwd, path) : 'vitest.config.ts'
  const api = path && ownVitest(cwd, 'vitest/node')
  if (config && !api)
    throw new RaspiError('options', `${file} cannot be loaded: ${cwd} has no Vitest.`, {
      hint: 'Install the dependencies of the project.',
    })
  const all = path && api ? await askVitest([api, cwd, path], file, { cwd, env, log }) : []
  if (project === undefined) return { file, projects: all }
  const projects = all.filter(({ name }) => name === project)
  if (projects.length > 0) return { file, projects }
  const names = all.flatMap(({ name }) => name || [])
  throw new RaspiError('options', `There is no project ${project} with raspi() in ${file}.`, {
    ...(names.length > 0 && { hint: `There ${names.length === 1 ? 'is' : 'are'} ${listOf(names)}.` }),
  })
}

function configIn(cwd: string, given: string | false | undefined): string | undefined {
  if (given === false) return undefined
  if (given === undefined) return configNames.map((name) => join(cwd, name)).find((path) => existsSync(path))
  const path = resolve(cwd, given)
  if (existsSync(path)) return path
  throw new RaspiError('options', `There is no file ${path}.`)
}

async function askVitest(
  args: readonly string[],
  file: string,
  { cwd, env, log }: ProjectContext,
): Promise<SaidProject[]> {
  const subprocess = execa(process.execPath, [program, ...args], {
    ...{ cwd, env, extendEnv: false, stdin: 'ignore', all: true, ipc: true, reject: false, timeout: loadMs },
  })
  for await (const line of subprocess.iterable({ from: 'all' })) log(line)
  const { ipcOutput, timedOut, exitCode, signal } = await subprocess
  const answer = ipcOutput[0] as VitestAnswer | undefined
  if (answer && 'projects' in answer)
    return answer.projects.map(({ cacheDir, ...said }) => ({
      ...said,
      cacheDir: cacheDir === undefined ? undefined : resolve(cwd, cacheDir),
    }))
  const ended = timedOut
    ? `it was not done after ${loadMs / 60_000} minutes`
    : `it ended the process (${signal ?? `exit code ${exitCode}`})`
  // What a bundler calls its errors says nothing of them.
  const message = stripVTControlCharacters(answer?.failed ?? ended).replace(/^Build failed with .*:\n\s*/, '')
  const [why = '', ...more] = message.split('\n')
  throw new RaspiError('options', `${file} cannot be loaded: ${why.replace(/[.:]?$/, '.')}`, {
    hint: 'Correct it, or leave it unread by --no-config.',
    evidence: more.join('\n').trimEnd(),
  })
}
