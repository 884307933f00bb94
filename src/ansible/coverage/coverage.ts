import type { Hits, TaskHits } from './hits.ts'
import type { Outline, OutlinedPart } from './outline.ts'
import { type CoveredFiles, scanProject } from './scan.ts'

/** A task or handler, and how often it ran, each host counted. */
export interface CoveredTask {
  line: number
  name: string
  handler: boolean
  ran: number
}

/** A block's `rescue` or `always`, and how often it was entered. */
export interface CoveredPart {
  line: number
  kind: OutlinedPart['kind']
  entered: number
}

/** A `when` of a task or a block, and how often it held and did not. */
export interface CoveredCondition {
  line: number
  taken: number
  skipped: number
}

/** What of a file ran. */
export interface FileCoverage {
  path: string
  tasks: CoveredTask[]
  parts: CoveredPart[]
  conditions: CoveredCondition[]
}

/** What can be covered. */
export const metrics = ['tasks', 'handlers', 'blocks', 'conditions'] as const

/** One of the {@link metrics}. */
export type Metric = (typeof metrics)[number]

/** How much of something there is, and how much of it was covered. */
export interface Share {
  total: number
  covered: number
}

/** Lays what ran over what is written in the project in `dir`, file by file in the order of their paths. */
export function coverageOf(dir: string, files: CoveredFiles, hits: Hits): FileCoverage[] {
  const outlines = scanProject(dir, files, (path) => path in hits)
  return [...outlines].map(([path, outline]) => coverFile(path, outline, hits[path] ?? {}))
}

/** Lays what ran over one file. */
export function coverFile(path: string, outline: Outline, hits: Record<number, TaskHits>): FileCoverage {
  const at = (line: number): TaskHits => hits[line] ?? [0, 0, 0]
  const most = (lines: readonly number[]) => Math.max(...lines.map((line) => at(line)[0]))
  const own = outline.tasks
    .filter(({ conditional }) => conditional)
    .map(({ line }) => ({ line, taken: at(line)[1], skipped: at(line)[2] }))
  // What a block's condition leaves out is left out of each of its tasks; one of these may have a condition too.
  const ofBlocks = outline.conditions.map(({ line, tasks }) => {
    return { line, taken: most(tasks), skipped: Math.min(...tasks.map((task) => at(task)[2])) }
  })
  return {
    path,
    tasks: outline.tasks.map(({ line, name, handler }) => ({ line, name, handler, ran: at(line)[0] })),
    parts: outline.parts.map(({ line, kind, tasks }) => ({ line, kind, entered: most(tasks) })),
    conditions: [...own, ...ofBlocks].sort((a, b) => a.line - b.line),
  }
}

/** How much of `metric` there is in `files`. A condition counts twice: once for each way it can go. */
export function shareOf(metric: Metric, files: readonly FileCoverage[]): Share {
  const counts = files.flatMap((file) => countsOf(metric, file))
  return { total: counts.length, covered: counts.filter((count) => count > 0).length }
}

/** The share in percent, rounded down to a tenth, so that 100 is all of it; of nothing, all is covered. */
export function percentOf({ total, covered }: Share): number {
  return total === 0 ? 100 : Math.floor((covered / total) * 1000) / 10
}

function countsOf(metric: Metric, { tasks, parts, conditions }: FileCoverage): number[] {
  switch (metric) {
    case 'tasks':
      return tasks.filter(({ handler }) => !handler).map(({ ran }) => ran)
    case 'handlers':
      return tasks.filter(({ handler }) => handler).map(({ ran }) => ran)
    case 'blocks':
      return parts.map(({ entered }) => entered)
    case 'conditions':
      return conditions.flatMap(({ taken, skipped }) => [taken, skipped])
  }
}
