import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { shownPath } from '../../host/shown-path.ts'
import { maskSecrets, secretsOf } from '../mask.ts'
import { unitePis } from '../meta.ts'
import { cutText } from '../text.ts'
import type { PiSummary, TestAccount } from '../told.ts'
import type { PageData, PageFile, PageStatus, PageTask, PageTest } from './data.ts'
import { marksOf } from './marks.ts'

/** A test as a reporter knows it. */
export interface ReportedTest
  extends Pick<PageTest, 'file' | 'name' | 'state' | 'durationMs' | 'retries' | 'errors'> {
  startedAt?: number | undefined
  line?: number | undefined
  pis: readonly PiSummary[]
  /** One for each of its attempts. */
  accounts: readonly TestAccount[]
  /** The directory with its evidence. */
  evidenceDir?: string | undefined
}

/** Where the page goes, and what else it shows. */
export interface PageContext {
  /** The page's own file. */
  page: string
  /** Vitest's root. */
  root: string
  /** Files (absolute) with the first lines of all their tasks: what did not run is marked, too. @default none */
  known?: readonly { path: string; lines: readonly number[] }[]
}

/** How much the page holds, in characters: of one log, of all logs, of one file, of all diffs and messages. */
const most = { log: 16 * 1024, logs: 4 * 1024 * 1024, file: 256 * 1024, files: 200, details: 8 * 1024 * 1024 }

/** The logs that tell most come first, should there not be room for all. */
const logOrder = [
  /\.failure\.txt$/,
  /\.lost\.txt$/,
  /console\.log$/,
  /failed-units\.txt$/,
  /journal\.log$/,
  /qemu\.log$/,
]

/** Makes the page's data of a run's tests. */
export function collectPage(
  reported: readonly ReportedTest[],
  outcome: PageData['outcome'],
  { page, root, known = [] }: PageContext,
): PageData {
  const tasks = new Map<string, { index: number; task: PageTask; path?: string }>()
  const left = { logs: most.logs, details: most.details }
  const omitted = new Set<string>()
  const secrets = secretsOf(process.env)
  const tests = reported.map((test): PageTest => {
    const told = test.accounts.flatMap(({ errors }) => errors)
    const runs = test.accounts
      .flatMap((account) => account.runs)
      .map(({ tasks: ran, plays: _, ...run }) => ({
        ...run,
        tasks: ran.map(({ name, handler, path, line, endedAt, message, diff, ...result }) => {
          const size = (message?.length ?? 0) + (diff?.join('\n').length ?? 0)
          left.details -= size
          if (size > 0 && left.details < 0) omitted.add('Diffs and messages of the later tests')
          return {
            task: indexOf({ name, handler, path, line }),
            ...result,
            endedAfter: endedAt - run.startedAt,
            ...(left.details >= 0 && message ? { message } : {}),
            ...(left.details >= 0 && diff ? { diff } : {}),
          }
        }),
      }))
    const { file, name, state, startedAt, durationMs, retries, line, evidenceDir } = test
    const evidence = evidenceDir
      ? { href: hrefOf(evidenceDir, page), names: namesIn(evidenceDir) }
      : undefined
    const logs = state === 'failed' && evidenceDir ? logsOf(evidenceDir) : []
    return {
      ...{ file, name, state, durationMs, retries, runs, logs, pis: [] },
      // What the test told is without its secrets; what only the reporter knows of came after it.
      errors: [...told, ...test.errors.slice(told.length).map((error) => maskSecrets(error, secrets))],
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(line === undefined ? {} : { line }),
      ...(evidence && evidence.names.length > 0 ? { evidence } : {}),
    }
  })

  const pis = unitePis(reported.flatMap((test) => test.pis)).map((pi) => {
    const users = reported.flatMap((test, index) =>
      test.pis.some((other) => isSame(pi, other)) ? [index] : [],
    )
    const { number: _, run: __, coldBootMs: ___, queuedMs: ____, ...shown } = pi
    return { ...shown, tests: users }
  })
  for (const [index, pi] of pis.entries()) for (const test of pi.tests) tests[test]?.pis.push(index)

  const files = filesOf()
  for (const { task, path } of tasks.values()) {
    const file = files.findIndex((known) => known.path === (path ? shownPath(path, root) : undefined))
    if (file >= 0) task.file = file
  }
  const times = [...tests.flatMap(({ startedAt }) => startedAt ?? []), ...pis.map(({ askedAt }) => askedAt)]
  const ends = [
    ...tests.flatMap(({ startedAt, durationMs }) => (startedAt === undefined ? [] : startedAt + durationMs)),
    ...pis.map(({ usedUntil }) => usedUntil),
  ]
  return {
    startedAt: Math.min(...times, ...ends),
    endedAt: Math.max(...ends, ...times),
    ...{ outcome, tests, pis, files, omitted: [...omitted] },
    tasks: [...tasks.values()].map(({ task }) => task),
  }

  function indexOf(from: {
    name: string
    handler: boolean
    path?: string | undefined
    line?: number | undefined
  }) {
    const { name, handler, path, line } = from
    const key = JSON.stringify([name, handler, path, line])
    const known = tasks.get(key)
    if (known) return known.index
    const place = path && line ? { place: `${shownPath(path, root)}:${line}`, line } : {}
    const task: PageTask = { name, kind: handler ? 'handler' : 'task', ...place }
    const index = tasks.size
    tasks.set(key, { index, task, ...(path ? { path } : {}) })
    return index
  }

  function logsOf(dir: string): PageTest['logs'] {
    const rank = (name: string) => logOrder.findIndex((pattern) => pattern.test(name))
    const names = namesIn(dir).filter((name) => rank(name) >= 0)
    return names
      .toSorted((a, b) => rank(a) - rank(b))
      .flatMap((name) => {
        const text = cutText(read(join(dir, name)), most.log)
        left.logs -= text.length
        if (left.logs < 0) omitted.add('Logs of the later tests')
        return text && left.logs >= 0 ? [{ name, text }] : []
      })
  }

  function filesOf(): PageFile[] {
    const ended = new Map<string, { line: number; status: PageStatus }[]>()
    const list = (path: string) => {
      const lines = ended.get(path) ?? []
      ended.set(path, lines)
      return lines
    }
    for (const { runs } of reported.flatMap(({ accounts }) => accounts)) {
      for (const { plays, tasks: ran } of runs) {
        for (const { path } of plays) if (path) list(path)
        for (const { path, line, status } of ran) if (path && line) list(path).push({ line, status })
      }
    }
    const lines = new Map(known.map((file) => [file.path, file.lines]))
    const paths = [...new Set([...ended.keys(), ...lines.keys()])].toSorted()
    if (paths.length > most.files) omitted.add(`Playbooks after the first ${most.files}`)
    return paths.slice(0, most.files).flatMap((path) => {
      const text = read(path)
      if (!text || text.length > most.file) return []
      return [
        {
          path: shownPath(path, root),
          text: maskSecrets(text, secrets),
          marks: marksOf(text, ended.get(path) ?? [], lines.get(path)),
        },
      ]
    })
  }
}

const isSame = (a: PiSummary, b: PiSummary) =>
  a.run === b.run && a.number === b.number && a.lentAt === b.lentAt

function hrefOf(dir: string, page: string): string {
  const path = relative(dirname(page), dir).replaceAll('\\', '/')
  return path.split('/').map(encodeURIComponent).join('/')
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).toSorted()
  } catch {
    // Evidence stays where the tests ran; merged reports may be made elsewhere.
    return []
  }
}

function read(file: string): string {
  try {
    return statSync(file).size > 4 * 1024 * 1024 ? '' : readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
