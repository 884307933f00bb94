import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, parse } from 'node:path'
import { RaspiError } from '../errors.ts'
import { timingsFileOf } from './timings.ts'

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
  for (const dir of dirs) copyAttachments(dir, root)
  copyTimings(dirs, root)
  return { reports, evidence: copyEvidence(dirs, root) }
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

/**
 * Copies the timings that the shards were dealt by, which all of them have, to where there are none: what has failed keeps
 * its earlier one.
 */
function copyTimings(dirs: readonly string[], root: string): void {
  const to = timingsFileOf(join(root, '.vitest/raspi'))
  const from = dirs.map((dir) => timingsFileOf(join(insideOf(dir), 'raspi'))).find((path) => existsSync(path))
  if (!from || existsSync(to)) return
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to)
}

/** The directory that Vitest calls `.vitest`, under whatever name it was kept. */
const insideOf = (dir: string) => (existsSync(join(dir, '.vitest')) ? join(dir, '.vitest') : dir)

function copyAttachments(dir: string, root: string): void {
  for (const place of attachmentDirs) {
    const places = [join(dir, place), join(insideOf(dir), place.replace('.vitest/', ''))]
    const from = places.find((path) => existsSync(path))
    const to = join(root, place)
    if (!from || from === to) continue
    mkdirSync(dirname(to), { recursive: true })
    cpSync(from, to, { recursive: true })
  }
}

/**
 * Copies evidence, and gives the places of it. What another run left there makes way: all of a test file's evidence is of one. Shards
 * of which each has some, such as of what was interrupted, or two environments of the same test, lose nothing to each other.
 */
function copyEvidence(dirs: readonly string[], root: string): string[] {
  const all = dirs.flatMap((dir) => {
    const from = join(insideOf(dir), 'raspi')
    const names = existsSync(from) ? readdirSync(from).filter((name) => !ofWholeRun.includes(name)) : []
    return names.map((name) => ({ from: join(from, name), place: join('.vitest/raspi', name) }))
  })
  const places = Map.groupBy(all, ({ place }) => place)
  for (const [place, sources] of places) {
    const to = join(root, place)
    if (!sources.some(({ from }) => from === to)) rmSync(to, { recursive: true, force: true })
    for (const { from } of sources) if (from !== to) add(from, to)
  }
  return [...places.keys()]
}

/** Copies a file, or all that is in a directory, to what is there already. */
function add(from: string, to: string): void {
  if (lstatSync(from).isDirectory()) {
    mkdirSync(to, { recursive: true })
    for (const name of readdirSync(from)) add(join(from, name), join(to, name))
  } else cpSync(from, placeFor(from, to))
}

/** `path`, or a name like it that no other file has: `pi.console.2.log`. */
function placeFor(file: string, path: string): string {
  const { dir, name, ext } = parse(path)
  const text = readFileSync(file)
  let place = path
  for (let number = 2; existsSync(place) && !readFileSync(place).equals(text); number++)
    place = join(dir, `${name}.${number}${ext}`)
  return place
}
