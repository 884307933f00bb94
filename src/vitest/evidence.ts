import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { recordArtifact, type TestContext } from 'vitest'
import { hitsOf, mergeHits } from '../ansible/coverage/hits.ts'
import { Spans } from '../host/spans.ts'
import { accountOf } from '../report/account.ts'
import { type EvidenceFiles, type EvidenceSource, gatherEvidence, secretsIn } from '../report/evidence.ts'
import { type EvidencePlace, keepFromGit, moduleDir, slug } from '../report/evidence-dir.ts'
import { failureTasks } from '../report/failure-tasks.ts'
import { type FailureSummary, summariseRun } from '../report/meta.ts'
import { type RunRecord, tasksOf } from '../report/run-record.ts'
import { firstLine, lastLines } from '../report/text.ts'
import './provided.ts'

type Task = TestContext['task']

/** Where evidence goes, and whether tests that passed leave some too. */
export interface EvidenceWishes {
  place: EvidencePlace
  all: boolean
  /** Whether the reporter is to know which tasks ran. @default false */
  coverage?: boolean
}

/** How long Vitest may take to note the evidence, in ms: it copies the files. */
const recordPatience = 400

/** How many lines of each console the reporter shows. */
const consoleLines = 15

/**
 * Concludes a test: tells the reporter of its Pis and of `newRecords`, its runs that were not told of yet. Where the test
 * failed, or the evidence of all is asked for, gathers it into files and shows them to Vitest, in less than 3 s.
 * Never throws: no test fails because of its evidence.
 */
export async function concludeTest(
  { task, annotate }: Pick<TestContext, 'task' | 'annotate'>,
  source: EvidenceSource,
  newRecords: readonly RunRecord[],
  { place, all, coverage = false }: EvidenceWishes,
): Promise<void> {
  const spans = new Spans(task.name)
  try {
    tellReporter(task, source, newRecords, coverage)
    const failed = task.result?.state === 'fail' && !task.fails
    const errors = (task.result?.errors ?? []).map(({ message }) => message)
    const work: Promise<unknown>[] = []
    if (failed || all) {
      const files = await gatherEvidence(source)
      const dir = testDir(place, task)
      await writeEvidence(place, dir, files)
      const captures = await saveCaptures(source, dir)
      const summary = { dir, ...summariseFailure(source, files, errors) }
      work.push(showVitest(task, annotate, summary, [...Object.keys(files), ...captures].sort()))
    }
    const account = accountOf(newRecords, errors, source.projectDir, secretsIn(source))
    work.push(recordArtifact(task, { type: 'vitest-raspi:account', account }))
    await Promise.race([Promise.allSettled(work), delay(recordPatience, undefined, { ref: false })])
  } catch {
    // Evidence is only evidence.
  }
  spans.end('evidence')
}

/**
 * Keeps the evidence of Pis that no test has come to use, because the playbook that was to prepare them failed in a hook.
 * Gives its directory, or nothing where there is nothing to tell. Never throws.
 */
export async function concludeHook(
  file: string,
  source: EvidenceSource,
  { place }: EvidenceWishes,
): Promise<string | undefined> {
  const last = source.records.at(-1)
  if (!last || last.run?.ok) return undefined
  try {
    const dir = join(moduleDir(place, file), 'hooks')
    await writeEvidence(place, dir, await gatherEvidence(source))
    return dir
  } catch {
    return undefined
  }
}

async function showVitest(
  task: Task,
  annotate: TestContext['annotate'],
  summary: FailureSummary,
  names: readonly string[],
): Promise<void> {
  const attachments = names.map((name) => ({
    path: join(summary.dir, name),
    contentType: name.endsWith('.pcap') ? 'application/vnd.tcpdump.pcap' : 'text/plain',
  }))
  const copies = attachments.map((attachment) => ({ ...attachment }))
  await recordArtifact(task, { type: 'vitest-raspi:evidence', summary, attachments }).catch(() => {})
  // Vitest's UI and HTML report show attachments of annotations and of its own artifacts only.
  await Promise.allSettled(
    copies.map((attachment, index) =>
      annotateEnded(task, () => annotate(names[index] ?? '', 'evidence', attachment)),
    ),
  )
}

/** Vitest refuses annotations as soon as a test has failed, but no fixture knows that earlier. */
function annotateEnded<T>({ result }: Task, annotate: () => T): T | undefined {
  if (!result) return undefined
  const { state } = result
  try {
    result.state = 'run'
    return annotate()
  } finally {
    result.state = state
  }
}

function tellReporter(
  task: Task,
  source: EvidenceSource,
  newRecords: readonly RunRecord[],
  coverage: boolean,
): void {
  const { queuedMs, askedAt, lentAt, projectDir } = source
  const usedUntil = Date.now()
  const pis = source.pis.map(({ lent, lost }) => {
    const { number, name, hostname, origin, startedAt, startMs, coldBootMs } = lent
    return {
      ...{ number, name, hostname, origin, askedAt, startedAt, startMs, lentAt, queuedMs, usedUntil },
      ...(coldBootMs ? { coldBootMs } : {}),
      ...(lost ? { lost: { at: lost.at, reason: firstLine(lost.reason) } } : {}),
    }
  })
  const runs = newRecords.map((record) => summariseRun(record, projectDir))
  // Each attempt of a test with `retry` had Pis of its own.
  const before = task.meta.raspi ?? { pis: [], runs: [] }
  task.meta.raspi = { ...before, pis: [...before.pis, ...pis], runs: [...before.runs, ...runs] }
  if (!coverage) return
  const covered = newRecords.map((record) => {
    return { tasks: [...tasksOf(record, projectDir).tasks], check: record.options.check ?? false }
  })
  task.meta.raspi.covered = mergeHits([before.covered ?? {}, hitsOf(covered)])
}

function summariseFailure(
  source: EvidenceSource,
  files: EvidenceFiles,
  errors: readonly string[],
): Pick<FailureSummary, 'consoles' | 'tasks'> {
  const tasks = failureTasks(source.records, errors, source.projectDir, secretsIn(source))
  const consoles = source.pis.flatMap(({ lent: { name } }) => {
    const lines = lastLines(files[`${slug(name)}.console.log`] ?? '', consoleLines).filter(Boolean)
    return lines.length > 0 ? [{ pi: name, lines }] : []
  })
  return { consoles, tasks }
}

/** Writes `files` into `dir`, which holds nothing else afterwards. */
async function writeEvidence(place: EvidencePlace, dir: string, files: EvidenceFiles): Promise<void> {
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  await keepFromGit(place.evidenceDir)
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, name), text)))
}

/** How long the networks may take to write down what went through them, in ms. */
const capturePatience = 500

/** Writes what went through each network last into `dir`, and gives the names of the files. */
async function saveCaptures({ networks = [] }: EvidenceSource, dir: string): Promise<string[]> {
  const saved: string[] = []
  const all = networks.map(async (network) => {
    const name = `${slug(network.name)}.pcap`
    await network.saveRecent(join(dir, name))
    saved.push(name)
  })
  await Promise.race([Promise.allSettled(all), delay(capturePatience, undefined, { ref: false })])
  return [...saved]
}

/** The tests that have a directory, by it: two tests of a file may have the same name. */
const owners = new Map<string, string>()

function testDir(place: EvidencePlace, task: Task): string {
  const names = [task.name]
  for (let suite = task.suite; suite && suite !== suite.file; suite = suite.suite) names.unshift(suite.name)
  const wanted = join(moduleDir(place, task.file.filepath), slug(names.join('-')))
  for (let dir = wanted, number = 2; ; dir = `${wanted}-${number++}`) {
    const owner = owners.get(dir)
    if (owner !== undefined && owner !== task.id) continue
    owners.set(dir, task.id)
    return dir
  }
}
