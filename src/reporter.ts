import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { styleText } from 'node:util'
import type { Reporter, TestCase, TestModule, TestRunEndReason, TestSpecification, Vitest } from 'vitest/node'
import { messageOf } from './errors.ts'
import { annotation } from './report/annotations.ts'
import { closingBlock } from './report/closing-block.ts'
import { type CoverageReport, reportCoverage } from './report/coverage-report.ts'
import { keepFromGit, moduleDir } from './report/evidence-dir.ts'
import { failureBlock } from './report/failure-block.ts'
import type { EvidenceArtifact } from './report/meta.ts'
import { collectPage, type PageContext } from './report/page/collect.ts'
import { renderPage } from './report/page/render.ts'
import { reportedTests } from './report/reported-tests.ts'
import './vitest/provided.ts'

/** Reporters that may write to stdout what a program is to read. */
const machineReadable = new Set(['json', 'junit', 'tap', 'tap-flat'])

/**
 * Tells of failed tests what other reporters do not know (the task at its line of the playbook, the end of the console,
 * where the evidence is), annotates playbooks on GitHub Actions, and closes with what the Pis and playbooks of the run
 * took. Writes the report page, `.vitest/raspi/index.html`. Says nothing where no test had a Pi. The plugin adds it; it stands beside any other reporter.
 */
export class RaspiReporter implements Reporter {
  #vitest: Vitest | undefined

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

  async onTestRunEnd(
    modules: readonly TestModule[],
    _errors: readonly unknown[] = [],
    reason: TestRunEndReason = 'passed',
  ): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const failed = tests.filter((test) => test.result().state === 'failed')
    const failures = failed.flatMap((test) => {
      const evidence = evidenceOf(test)
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
      tests.flatMap((test) => test.meta().raspi ?? []),
      page,
    )
    if (closing.length > 0) this.#say(`${closing.join('\n')}\n`)
    if (coverage) this.#tellCoverage(coverage)
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

  /** Gives what the closing block says of it: where it is, or why there is none. Nothing where no test had a Pi. */
  async #writePage(
    modules: readonly TestModule[],
    reason: TestRunEndReason,
    known: PageContext['known'] = [],
  ): Promise<string | undefined> {
    const root = this.#vitest?.config.root ?? process.cwd()
    const page = join(evidenceDirOf(root), 'index.html')
    try {
      const tests = reportedTests(modules)
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

function evidenceOf(test: TestCase): EvidenceArtifact | undefined {
  // The last: that of the last attempt of a test with `retry`.
  return test.artifacts().findLast((artifact) => artifact.type === 'vitest-raspi:evidence')
}

function titleOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`
}

function errorsOf(test: TestCase): string[] {
  return (test.result().errors ?? []).map(({ message }) => message)
}
