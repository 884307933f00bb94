import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { TestModule, Vitest } from 'vitest/node'
import * as z from 'zod'
import { scratchName } from '../host/scratch.ts'
import { baseDirOf } from '../vitest/base-dir.ts'

/** What the file is called in which a repository may keep timings for its shards. */
const timingsFileName = 'vitest-raspi.timings.json'

const timingsSchema = z.object({
  version: z.literal(1),
  /** How long each test file took when it last ran whole, in ms. */
  files: z.record(z.string(), z.number().nonnegative()),
})

/** How long each test file took, in ms, by what {@link timingKey} calls it. */
export type Timings = Record<string, number>

/** Where the timings of a Vitest root are kept. */
export function timingsFileOf(evidenceDir: string): string {
  return join(evidenceDir, 'timings.json')
}

/** The files of timings by which shards may be dealt, of which the first that is there counts: a committed one, that of earlier runs. */
export function timingsFilesOf(vitest: Vitest, evidenceDir: string): [string, string] {
  return [join(baseDirOf(vitest), timingsFileName), timingsFileOf(evidenceDir)]
}

/** Names a test file of a project, wherever the repository lies: `test/web.test.ts`, `[pis] test/web.test.ts`. */
export function timingKey(root: string, project: string, file: string): string {
  return [project && `[${project}]`, relative(root, file).replaceAll('\\', '/')].filter(Boolean).join(' ')
}

/** The timings in a file; nothing where there is none, and a sentence where it has none that can be read. */
export function readTimings(path: string): Timings | string | undefined {
  if (!existsSync(path)) return undefined
  try {
    return timingsSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).files
  } catch {
    return `${path} is not used: it has no timings as vitest-raspi writes them.`
  }
}

/** How long those of `modules` took that ended as `state`: their tests and hooks, and what it takes to come to these. */
function timingsOf(modules: readonly TestModule[], root: string, state: 'passed' | 'failed'): Timings {
  return Object.fromEntries(
    modules.flatMap((module) => {
      if (module.state() !== state) return []
      const spent = module.diagnostic()
      const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = spent
      const ms = environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration
      // What a blob report brings from elsewhere is called by the path it had there; the relative one is the same.
      return [[timingKey(root, module.project.name, join(root, module.relativeModuleId)), Math.round(ms)]]
    }),
  )
}

/**
 * Brings the timings in the file at `path` up to date with `modules`, takes out test files that are not there any more, and
 * writes it whole or not at all. What has failed may have ended early: it counts only until it has passed once, also
 * according to the `committed` timings, which are older than those of the file.
 */
export async function keepTimings(
  [committed, path]: readonly [committed: string, path: string],
  root: string,
  modules: readonly TestModule[],
): Promise<void> {
  const passed = timingsOf(modules, root, 'passed')
  const failed = timingsOf(modules, root, 'failed')
  if (Object.keys({ ...passed, ...failed }).length === 0) return
  const before = [committed, path].map(readTimings).filter((found) => typeof found === 'object')
  const all = Object.entries(Object.assign({}, failed, ...before, passed) as Timings)
  const files = all
    .filter(([key]) => existsSync(join(root, key.replace(/^\[.*?\] /, ''))))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${scratchName('new')}`
  await writeFile(
    temporary,
    `${JSON.stringify({ version: 1, files: Object.fromEntries(files) }, undefined, 2)}\n`,
  )
  await rename(temporary, path)
}
