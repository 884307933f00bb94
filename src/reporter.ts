import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { styleText } from 'node:util'
import type { Reporter, TestCase, TestModule, TestRunEndReason, TestSpecification, Vitest } from 'vitest/node'
import { messageOf } from './errors.ts'
import { Spans } from './host/spans.ts'
import { annotation } from './report/annotations.ts'
import { closingBlock } from './report/closing-block.ts'
import { type CoverageReport, reportCoverage } from './report/coverage-report.ts'
import { keepFromGit, moduleDir } from './report/evidence-dir.ts'
import { failureBlock } from './report/failure-block.ts'
import { collectPage, type PageContext } from './report/page/collect.ts'
import { renderPage } from './report/page/render.ts'
import { evidenceOf, metaOf, reportedTests } from './report/reported-tests.ts'
import { doubtsOfShards, placeOf, type RunPlace } from './report/run-place.ts'
import { keepTimings, timingsFilesOf } from './report/timings.ts'
import './vitest/provided.ts'
import { dealOf } from './vitest/sequencer.ts'

/** Reporters that may write to stdout what a program is to read. */
const machineReadable = new Set(['json', 'junit', 'tap', 'tap-flat'])

/**
 * Tells of failed tests what other reporters do not know (the task at its line of the playbook, the end of the console,
 * where the evidence is), annotates playbooks on GitHub Actions, and closes with what the Pis and playbooks of the run
 * took. Writes the report page, `.vitest/raspi/index.html`, and how long each test file took, `timings.json` beside it. Says
 * nothing where no test had a Pi. The plugin adds it; it stands beside any other reporter. Shards of a run tell all of this
 * by Vitest's blob reports: `vitest --merge-reports` closes as one run would.
 */
export class RaspiReporter implements Reporter {
  #vitest: Vitest | undefined
  readonly #run = randomUUID()

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  /** Clears the evidence of the files that are to run: what is there afterwards is of this run. */
  async onTestRunStart(specifications: readonly TestSpecification[]): Promise<void> {
    const vitest = this.#vitest
    if (!vitest || vitest.config.mergeReports) return
    const { root } = vitest.config
    await Promise.all(
      specifications.map(({ project, moduleId }) => {
        const dir = moduleDir({ evidenceDir: evidenceDirOf(root), root, project: project.name }, moduleId)
        return rm(dir, { recursive: true, force: true }).catch(() => {})
      }),
    )
  }

  /** Notes in which run the test file ran. In merged reports that is noted already. */
  onTestModuleEnd(module: TestModule): void {
    const vitest = this.#vitest
    if (!vitest || vitest.config.mergeReports) return
    const { root, shard, mergeReportsLabel: label } = vitest.config
    const dealt = dealOf(vitest)
    const place: RunPlace = {
      ...{ id: this.#run, root },
      ...(shard ? { shard: { index: shard.index, count: shard.count } } : {}),
      ...(dealt ? { dealt } : {}),
      ...(label ? { label } : {}),
    }
    module.meta().raspiRun = place
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    _errors: readonly unknown[] = [],
    reason: TestRunEndReason = 'passed',
  ): Promise<void> {
    const spans = new Spans('report')
    const root = this.#vitest?.config.root ?? process.cwd()
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const failed = tests.filter((test) => test.result().state === 'failed')
    const failures = failed.flatMap((test) => {
      const evidence = evidenceOf(test, root)
      return evidence ? [{ test, evidence }] : []
    })
    if (failures.length > 0) {
      const blocks = failures.map(({ test, evidence }) =>
        failureBlock(titleOf(test), evidence.summary, errorsOf(test), process.cwd()),
      )
      this.#say(`\n${styleText('red', ' Raspberry Pis of failed tests ')}\n\n${blocks.join('\n\n')}\n`)
    }
    if (process.env.GITHUB_ACTIONS === 'true') {
      const workspace = process.env.GITHUB_WORKSPACE ?? process.cwd()
      const lines = failures.flatMap(({ test, evidence }) =>
        evidence.summary.tasks.flatMap((task) => annotation(task, titleOf(test), workspace) ?? []),
      )
      // A command is one only at the beginning of a line.
      for (const line of new Set(lines)) this.#say(`\n${line}`)
    }
    const coverage = this.#coverage(tests)
    const page = await this.#writePage(modules, reason, coverage?.known)
    const closing = closingBlock(
      tests.flatMap((test) => metaOf(test) ?? []),
      page,
    )
    if (closing.length > 0) this.#say(`${closing.join('\n')}\n`)
    if (coverage) this.#tellCoverage(coverage)
    this.#doubtShards(modules)
    await this.#keepTimings(modules, reason)
    spans.end('evidence')
  }

  /** What the tests have covered; nothing where no project asks for it. */
  #coverage(tests: readonly TestCase[]): CoverageReport | undefined {
    const vitest = this.#vitest
    if (!vitest) return undefined
    const projects = vitest.projects.flatMap((project) => {
      const options = project.getProvidedContext().raspiOptions?.coverage
      if (!options) return []
      const own = tests.filter((test) => test.project.name === project.name)
      return [
        { root: project.config.root, options, hits: own.map((test) => test.meta().raspi?.covered ?? {}) },
      ]
    })
    if (projects.length === 0) return undefined
    const { root } = vitest.config
    return reportCoverage(projects, { root, evidenceDir: evidenceDirOf(root) })
  }

  #tellCoverage({ lines, missed }: CoverageReport): void {
    this.#say(`\n${lines.join('\n')}\n`)
    // A shard has only its part of the tests; `vitest --merge-reports` judges all.
    if (missed.length === 0 || this.#vitest?.config.shard) return
    for (const sentence of missed) this.#vitest?.logger.error(styleText('red', sentence))
    process.exitCode = 1
  }

  /** Fails where merged reports cannot be those of a whole run. */
  #doubtShards(modules: readonly TestModule[]): void {
    const vitest = this.#vitest
    // More shards than files leave some without a report.
    if (!vitest?.config.mergeReports || vitest.config.passWithNoTests) return
    const doubts = doubtsOfShards(modules.flatMap((module) => placeOf(module) ?? []))
    for (const sentence of doubts) vitest.logger.error(styleText('red', sentence))
    if (doubts.length > 0) process.exitCode = 1
  }

  /**
   * Keeps how long the test files took. Not of tests that were chosen by name, which say little of their files; and a shard
   * leaves it to whoever merges, lest the next shard be dealt by other timings than those before it.
   */
  async #keepTimings(modules: readonly TestModule[], reason: TestRunEndReason): Promise<void> {
    const vitest = this.#vitest
    if (!vitest) return
    const { root, shard, testNamePattern, tagsFilter } = vitest.config
    if (shard || testNamePattern || tagsFilter?.length || reason === 'interrupted') return
    const dir = evidenceDirOf(root)
    try {
      await keepTimings(timingsFilesOf(vitest, dir), root, modules)
      await keepFromGit(dir)
    } catch {
      // They only make shards end together.
    }
  }

  /** Gives what the closing block says of it: where it is, or why there is none. Nothing where no test had a Pi. */
  async #writePage(
    modules: readonly TestModule[],
    reason: TestRunEndReason,
    known: PageContext['known'] = [],
  ): Promise<string | undefined> {
    const root = this.#vitest?.config.root ?? process.cwd()
    const page = join(evidenceDirOf(root), 'index.html')
    try {
      const tests = reportedTests(modules, root)
      if (tests.length === 0) return undefined
      await mkdir(dirname(page), { recursive: true })
      await keepFromGit(evidenceDirOf(root))
      await writeFile(page, await renderPage(collectPage(tests, reason, { page, root, known })))
      return relative(process.cwd(), page)
    } catch (error) {
      // A page is only a page: no run fails because of it.
      return `could not be written: ${messageOf(error)}`
    }
  }

  #say(text: string): void {
    const vitest = this.#vitest
    if (!vitest) return
    const names = vitest.config.reporters.map((reporter) =>
      Array.isArray(reporter) ? String(reporter[0]) : '',
    )
    if (names.some((name) => machineReadable.has(name))) vitest.logger.error(text)
    else vitest.logger.log(text)
  }
}

export default RaspiReporter

/** Where the evidence of a Vitest root is kept. */
export function evidenceDirOf(root: string): string {
  return join(root, '.vitest', 'raspi')
}

function titleOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`
}

function errorsOf(test: TestCase): string[] {
  return (test.result().errors ?? []).map(({ message }) => message)
}
