// `npm test`: builds, then runs the unit and type tests, those of programs of the host, and the system tests: what takes
// minutes on two cores. With `--all`, and in a CI, also the slow ones, and those of Ansible once more with each other
// ansible-core there is. Its end names what failed, as CI often shows no more than the end, and its last line counts them
// all: `N passed, N failed`.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { otherAnsibleCores } from '../test/support/ansible-cores.ts'
import { root, step, waitForSteps } from './step.ts'
import { readSuite } from './suite.ts'

const all = Boolean(process.env.CI) || process.argv.includes('--all')
const fewer = all ? [] : ['--exclude=**/*.slow.test.ts']

const suites = {
  unit: 'vitest.config.ts',
  types: 'test/types/vitest.config.ts',
  host: 'test/host/vitest.config.ts',
  ...(all && otherAnsibleCores().length > 0 ? { ansible: 'test/host/ansible.config.ts' } : {}),
  system: 'test/system/vitest.config.ts',
}

// .vitest is Vitest's own name for what it leaves, and not under version control.
const results = join(root, '.vitest/results')
const count = { passed: 0, failed: 0 }
const failures: string[] = []

waitForSteps()
rmSync(results, { recursive: true, force: true })
mkdirSync(results, { recursive: true })
process.once('exit', () => {
  if (failures.length > 0) console.log(`\nFailed:\n${failures.join('\n')}`)
  if (!all) console.log('\nWithout the slow tests: npm run test:all has them, as a CI does.')
  console.log(`\n${count.passed} passed, ${count.failed} failed`)
})

if (await step('Building', ['npm', 'run', '--silent', 'build'])) {
  for (const [suite, config] of Object.entries(suites)) await run(suite, config)
} else {
  add(0, ['The build'])
}
process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1

async function run(suite: string, config: string) {
  const report = join(results, `${suite}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const succeeded = await step(`Testing: ${suite}`, [
    'vitest',
    'run',
    '--config',
    config,
    ...fewer,
    ...reporters,
  ])
  const { passed, failed } = readSuite(report, root)
  // A file that cannot be loaded, an error outside of any test, a crash: none of them is a failed test to Vitest.
  if (!succeeded && failed.length === 0) failed.push('an error outside of its tests, told above')
  add(
    passed,
    failed.map((failure) => `${suite}: ${failure}`),
  )
}

/** Counts, and keeps the sums where .ci/run finds them, whatever becomes of this process. */
function add(passed: number, failed: string[]) {
  count.passed += passed
  count.failed += failed.length
  failures.push(...failed)
  writeFileSync(join(results, 'count'), `${count.passed} ${count.failed}\n`)
}
