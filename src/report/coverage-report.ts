import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { coverageOf, type FileCoverage } from '../ansible/coverage/coverage.ts'
import { type Hits, mergeHits } from '../ansible/coverage/hits.ts'
import { lcovOf } from '../ansible/coverage/lcov.ts'
import type { CoverageOptions } from '../options.ts'
import { type CoverageThresholds, coverageTable, missedThresholds } from './coverage-table.ts'

/** A Vitest project whose playbooks are to be covered, and what its tests ran. */
export interface CoveredProject {
  root: string
  options: CoverageOptions
  hits: readonly Hits[]
}

/** What the reporter is to say of coverage. */
export interface CoverageReport {
  lines: string[]
  /** A sentence for each threshold that is missed. */
  missed: string[]
  /** The files (absolute) with the lines of their tasks, run or not. */
  known: { path: string; lines: number[] }[]
}

/**
 * Works out what `projects` have covered, writes it as `coverage/lcov.info` below `evidenceDir`, with paths relative to
 * Vitest's `root`, and tells it.
 */
export function reportCoverage(
  projects: readonly CoveredProject[],
  { root, evidenceDir }: { root: string; evidenceDir: string },
): CoverageReport {
  const lines: string[] = []
  const missed: string[] = []
  const all: FileCoverage[] = []
  for (const { dir, options, hits } of byDirectory(projects)) {
    const files = coverageOf(dir, options, mergeHits(hits)).map((file) => {
      return { ...file, path: relative(root, join(dir, file.path)) }
    })
    all.push(...files)
    missed.push(...missedThresholds(files, options.thresholds as CoverageThresholds))
    lines.push(...coverageTable(files))
  }
  const file = writeLcov(join(evidenceDir, 'coverage'), evidenceDir, lcovOf(all))
  const known = all.map(({ path, tasks }) => ({
    path: resolve(root, path),
    lines: tasks.map(({ line }) => line),
  }))
  return { lines: [...lines, `For other tools: ${relative(process.cwd(), file)}`], missed, known }
}

// Projects that share a directory share its playbooks; the first one's options are theirs.
function byDirectory(projects: readonly CoveredProject[]) {
  const dirs = new Map<string, { dir: string; options: CoverageOptions; hits: Hits[] }>()
  for (const { root, options, hits } of projects) {
    const known = dirs.get(root)
    if (known) known.hits.push(...hits)
    else dirs.set(root, { dir: root, options, hits: [...hits] })
  }
  return dirs.values()
}

function writeLcov(dir: string, evidenceDir: string, text: string): string {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(evidenceDir, '.gitignore'), '*\n')
  const file = join(dir, 'lcov.info')
  writeFileSync(file, text)
  return file
}
