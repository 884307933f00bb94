import { createHash } from 'node:crypto'
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { RaspiError } from '../errors.ts'

/** What shards left, put together. */
export interface GatheredShards {
  /** The reports of Vitest, where they were found. */
  reports: string[]
  /** The directories of evidence that were copied, relative to Vitest's root. */
  evidence: string[]
}

/** Where Vitest keeps blob reports and attachments below its root: in 5, and in 4. https://vitest.dev/guide/reporters#blob-reporter */
const blobDirs = ['.vitest/blob', '.vitest-reports']
const attachmentDirs = ['.vitest/attachments', '.vitest-attachments']

/** What our reporter writes of a whole run: made anew of all reports. */
const ofWholeRun = ['index.html', 'coverage', 'timings.json', '.gitignore']

/**
 * Puts together what shards left in `dirs`: each the root of a shard's Vitest, a copy of its `.vitest`, or of the reports
 * alone. Reports are copied to the empty directory `blobDir`, evidence and attachments to where they would be below `root`. Throws a
 * `RaspiError` of kind `options`, before anything is copied, where a directory has no report, or two have the same.
 */
export function gatherShards(
  dirs: readonly string[],
  { root, blobDir }: { root: string; blobDir: string },
): GatheredShards {
  const found = dirs.map((dir) => ({ dir, reports: reportsIn(dir) }))
  const reports = found.flatMap(({ reports }) => reports)
  checkTwice(reports)
  mkdirSync(blobDir, { recursive: true })
  for (const [index, report] of reports.entries())
    cpSync(report, join(blobDir, `${index + 1}-${report.slice(report.lastIndexOf('/') + 1)}`))
  const evidence = found.flatMap(({ dir }) => copyEvidence(dir, root))
  return { reports, evidence }
}

function reportsIn(dir: string): string[] {
  if (!existsSync(dir) || !statSync(dir).isDirectory())
    throw new RaspiError('options', `${dir} is no directory with what a shard left.`)
  const patterns = [...blobDirs.map((place) => `${place}/*.json`), 'blob/*.json', 'blob*.json']
  for (const pattern of patterns) {
    const names = globSync(pattern, { cwd: dir }).sort()
    if (names.length > 0) return names.map((name) => join(dir, name))
  }
  throw new RaspiError('options', `${dir} has no report of a shard: there is no .vitest/blob/*.json in it.`, {
    hint: 'Let the shards run with `--reporter=blob`, and keep their .vitest whole, of Vitest 4 also .vitest-reports and .vitest-attachments. They are hidden: actions/upload-artifact wants include-hidden-files.',
  })
}

/** A report that is given twice would count all its tests twice. */
function checkTwice(reports: readonly string[]): void {
  const known = new Map<string, string>()
  for (const report of reports) {
    const name = report.slice(report.lastIndexOf('/') + 1)
    const digest = createHash('sha256').update(readFileSync(report)).digest('hex')
    // blob-2-3.json, blob-linux-2-3.json: no two shards call theirs so.
    const other = known.get(digest) ?? (/-\d+-\d+\.json$/.test(name) ? known.get(name) : undefined)
    if (other)
      throw new RaspiError('options', `${other} and ${report} are reports of the same shard.`, {
        hint: 'Give each shard once: what an earlier run left must not lie between.',
      })
    known.set(digest, report)
    known.set(name, report)
  }
}

function copyEvidence(dir: string, root: string): string[] {
  const inside = existsSync(join(dir, '.vitest')) ? join(dir, '.vitest') : dir
  for (const place of attachmentDirs) {
    const from = [join(dir, place), join(inside, place.replace('.vitest/', ''))].find((path) =>
      existsSync(path),
    )
    if (from) copy(from, join(root, place))
  }
  const from = join(inside, 'raspi')
  if (!existsSync(from)) return []
  const names = readdirSync(from).filter((name) => !ofWholeRun.includes(name))
  return names.map((name) => {
    const place = join('.vitest/raspi', name)
    // All of a test file's evidence is of one run.
    if (join(from, name) !== join(root, place)) rmSync(join(root, place), { recursive: true, force: true })
    copy(join(from, name), join(root, place))
    return place
  })
}

function copy(from: string, to: string): void {
  if (from === to) return
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to, { recursive: true })
}
