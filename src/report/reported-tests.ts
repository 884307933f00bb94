import type { TestCase, TestModule } from 'vitest/node'
import type { EvidenceArtifact, RaspiMeta } from './meta.ts'
import type { ReportedTest } from './page/collect.ts'
import { relocateAccount, relocateFailure, relocation } from './relocate.ts'
import { placeOf } from './run-place.ts'
import type { TestAccount } from './told.ts'

/**
 * What Vitest knows of the tests of those files in which any test had Pis, or should have had: what the page shows. Paths
 * are those here, below `root`, wherever the tests ran.
 */
export function reportedTests(modules: readonly TestModule[], root: string): ReportedTest[] {
  return modules
    .map((module) => [...module.children.allTests()])
    .filter((tests) => tests.some(concernsPis))
    .flat()
    .map((test) => reportedTest(test, root))
}

/** What a test has told of its Pis and runs; its Pis are those of its run, and no other's. */
export function metaOf(test: TestCase): RaspiMeta | undefined {
  const meta = test.meta().raspi
  const { id, shard } = placeOf(test.module) ?? {}
  if (!meta || id === undefined) return meta
  const of = { run: id, ...(shard ? { shard: `${shard.index}/${shard.count}` } : {}) }
  return { ...meta, pis: meta.pis.map((pi) => ({ ...pi, ...of })) }
}

/** The evidence that a test has left: of the last attempt of one with `retry`. Paths are those here, below `root`. */
export function evidenceOf(test: TestCase, root: string): EvidenceArtifact | undefined {
  const evidence = test.artifacts().findLast((artifact) => artifact.type === 'vitest-raspi:evidence')
  if (!evidence) return undefined
  return { ...evidence, summary: relocateFailure(evidence.summary, hereOf(test, root)) }
}

const hereOf = (test: TestCase, root: string) => relocation(placeOf(test.module)?.root, root)

function concernsPis(test: TestCase): boolean {
  return (
    test.meta().raspi !== undefined || (test.result().errors ?? []).some(({ name }) => name === 'RaspiError')
  )
}

function reportedTest(test: TestCase, root: string): ReportedTest {
  const { state, errors = [] } = test.result()
  const { startTime, duration = 0, retryCount = 0 } = test.diagnostic() ?? {}
  const { project, module } = test
  const here = hereOf(test, root)
  const accounts = test
    .artifacts()
    .flatMap((artifact): TestAccount[] =>
      artifact.type === 'vitest-raspi:account' ? [relocateAccount(artifact.account, here)] : [],
    )
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
    pis: metaOf(test)?.pis ?? [],
    accounts,
    evidenceDir: evidenceOf(test, root)?.summary.dir,
  }
}
