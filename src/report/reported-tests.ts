import type { TestCase, TestModule } from 'vitest/node'
import type { ReportedTest } from './page/collect.ts'
import type { TestAccount } from './told.ts'

/** What Vitest knows of the tests of those files in which any test had Pis, or should have had: what the page shows. */
export function reportedTests(modules: readonly TestModule[]): ReportedTest[] {
  return modules
    .map((module) => [...module.children.allTests()])
    .filter((tests) => tests.some(concernsPis))
    .flat()
    .map(reportedTest)
}

function concernsPis(test: TestCase): boolean {
  return (
    test.meta().raspi !== undefined || (test.result().errors ?? []).some(({ name }) => name === 'RaspiError')
  )
}

function reportedTest(test: TestCase): ReportedTest {
  const { state, errors = [] } = test.result()
  const { startTime, duration = 0, retryCount = 0 } = test.diagnostic() ?? {}
  const { project, module } = test
  const accounts = test
    .artifacts()
    .flatMap((artifact): TestAccount[] =>
      artifact.type === 'vitest-raspi:account' ? [artifact.account] : [],
    )
  const evidence = test.artifacts().findLast(({ type }) => type === 'vitest-raspi:evidence')
  const frame = errors[0]?.stacks?.find(({ file }) => file === module.moduleId)
  return {
    file: [project.name && `[${project.name}]`, module.relativeModuleId].filter(Boolean).join(' '),
    name: test.fullName,
    state: state === 'pending' ? 'skipped' : state,
    startedAt: state === 'skipped' ? undefined : startTime,
    durationMs: duration,
    retries: retryCount,
    errors: errors.map(({ message }) => message),
    line: frame?.line,
    pis: test.meta().raspi?.pis ?? [],
    accounts,
    evidenceDir: evidence && 'summary' in evidence ? evidence.summary.dir : undefined,
  }
}
