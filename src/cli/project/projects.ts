import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, extname, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { RaspiError } from '../../errors.ts'
import { listOf } from '../../host/list-of.ts'
import type { ResolvedOptions } from '../../options.ts'
import { configFiles } from '../../vitest/config-files.ts'
import { roughly } from '../duration.ts'
import { ownVitest } from '../own-vitest.ts'

/** What raspi() in a project of Vitest's says, of that for which commands have options. */
export interface SaidProject extends Pick<ResolvedOptions, 'image' | 'board' | 'engine'> {
  /** Vitest's name of it; empty where the configuration has no projects. */
  name: string
  /** Where relative paths of `image` begin. */
  baseDir: string
  cacheDir: string | undefined
  maxPis: number | undefined
  share: string | undefined
}

/** What ask-vitest.ts answers. */
export type VitestAnswer = { projects: SaidProject[] } | { failed: string }

/** Its message that has the answer: a configuration may send others. */
export interface AnswerMessage {
  'vitest-raspi': VitestAnswer
}

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
  /** How long a configuration may take to be loaded, in ms. @default 120_000 */
  loadMs?: number
}

/** The projects with raspi() in a configuration. */
export interface SaidProjects {
  /** The configuration, as people call it. */
  file: string
  projects: SaidProject[]
}

const program = fileURLToPath(new URL(`./ask-vitest${extname(import.meta.url)}`, import.meta.url))

/** After which time it is said what is waited for, in ms. */
const patienceMs = 2_000

/** How long a process that has answered, or ended, may take for its end and for what it has printed, in ms. */
const endMs = 1_000

/**
 * Has the project's own Vitest load its configuration, and gives its projects with raspi(): none where there is no
 * configuration or no Vitest. Throws a `RaspiError` where the configuration cannot be loaded, or has no project of the name
 * that is asked for.
 */
export async function readProjects(
  { config, project }: ProjectFlags,
  context: ProjectContext,
): Promise<SaidProjects> {
  const { cwd } = context
  const path = configIn(cwd, config)
  const file = path ? relative(cwd, path) : 'vitest.config.ts'
  const api = path && ownVitest(cwd, 'vitest/node')
  if (path && !api) {
    const why = `${cwd} has no Vitest`
    if (config || project !== undefined)
      throw new RaspiError('options', `${file} cannot be loaded: ${why}.`, {
        hint: 'Install the dependencies of the project, by `npm ci`.',
      })
    context.log(`${file} is not read: ${why}. Install the dependencies of the project, by \`npm ci\`.`)
  }
  const all = path && api ? await askVitest([api, cwd, path], file, context) : []
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
  if (given === undefined) return configFiles.map((name) => join(cwd, name)).find((path) => existsSync(path))
  const path = resolve(cwd, given)
  if (existsSync(path)) return path
  throw new RaspiError('options', `There is no file ${path}.`)
}

async function askVitest(
  args: readonly string[],
  file: string,
  context: ProjectContext,
): Promise<SaidProject[]> {
  const waiting = setTimeout(() => context.log(`Vitest loads ${file} …`), patienceMs)
  const answer = await answerOf(args, context).finally(() => clearTimeout(waiting))
  if ('projects' in answer)
    return answer.projects.map(({ cacheDir, ...said }) => ({
      ...said,
      cacheDir: cacheDir === undefined ? undefined : resolve(context.cwd, cacheDir),
    }))
  // What a bundler calls its errors says nothing of them.
  const message = stripVTControlCharacters(answer.failed).replace(/^Build failed with .*:\n\s*/, '')
  const [why = '', ...more] = message.split('\n')
  throw new RaspiError('options', `${file} cannot be loaded: ${why.replace(/[.:]?$/, '.')}`, {
    // Of a project without Pis it may be somebody else's.
    hint: basename(file).startsWith('vite.')
      ? 'Leave it unread by --no-config, or correct it.'
      : 'Correct it, or leave it unread by --no-config.',
    evidence: more.join('\n').trimEnd(),
  })
}

/** What the program answers; where it ends without, or has to be ended, that. */
async function answerOf(
  args: readonly string[],
  { cwd, env, log, loadMs = 120_000 }: ProjectContext,
): Promise<VitestAnswer> {
  const child = fork(program, args, {
    ...{ cwd, env, execArgv: [], serialization: 'advanced', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    ...{ timeout: loadMs, killSignal: 'SIGKILL' },
  })
  for (const input of [child.stdout, child.stderr]) if (input) createInterface({ input }).on('line', log)
  const closed = new Promise((resolve) => child.once('close', resolve))
  try {
    return await new Promise<VitestAnswer>((resolve, reject) => {
      child.on('message', (message) => {
        if (isAnswer(message)) resolve(message['vitest-raspi'])
      })
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        const how = child.killed
          ? `it was not done after ${roughly(loadMs)}`
          : `it ended the process (${signal ?? `exit code ${code}`})`
        const end = () => resolve({ failed: how })
        // What it has sent last may be on the way yet.
        if (child.connected) child.once('disconnect', end)
        else end()
      })
    })
  } finally {
    // Whatever the configuration has started may hold the pipes for as long as it likes.
    await Promise.race([closed, delay(endMs, undefined, { ref: false })])
    child.stdout?.destroy()
    child.stderr?.destroy()
    child.kill('SIGKILL')
  }
}

function isAnswer(message: unknown): message is AnswerMessage {
  return typeof message === 'object' && message !== null && 'vitest-raspi' in message
}
