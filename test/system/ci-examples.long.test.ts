import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { test as base, expect } from 'vitest'
import { githubSteps, gitlabJobs } from '../support/ci-steps.ts'
import { makeCache } from '../support/project.ts'

// The commands of the workflows, as they stand, in a repository that has our package from a tarball. What a CI does
// between them (checkouts, caches, artifacts) is done here by hand.

const root = fileURLToPath(new URL('../..', import.meta.url))
const workflow = (name: string) => readFileSync(join(root, 'examples/ci', name), 'utf8')
const minutes = 60_000

interface Checkout {
  dir: string
  /** Runs a command as a CI's shell does; gives what it has said, and its exit code. */
  sh(command: string, env?: Record<string, string>): Promise<{ output: string; code: number | undefined }>
  /** Another checkout of the same repository, as another job has it. */
  again(): string
}

const test = base.extend('checkout', { scope: 'file' }, async ({}, { onCleanup }): Promise<Checkout> => {
  const top = mkdtempSync(join(tmpdir(), 'ci-'))
  onCleanup(() => rmSync(top, { recursive: true, force: true }))
  const dir = join(top, 'repository')
  cpSync(join(root, 'examples/quickstart'), dir, {
    recursive: true,
    filter: (path) => !/node_modules|\.vitest/.test(path),
  })
  const { stdout } = await execa('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', top], {
    cwd: root,
  })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  // What is there: the newest of a registry may lack what it depends on, and `npm ci` is strict.
  const versionOf = (name: string) =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
  const manifest = {
    ...JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')),
    devDependencies: {
      vitest: versionOf('vitest'),
      vite: versionOf('vite'),
      'vitest-raspi': `file:${join(top, filename)}`,
    },
  }
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest))
  // Only the lock file: that is what a repository has.
  await execa('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], { cwd: dir })
  // Of links: one of the workflows prunes.
  const cacheDir = makeCache(join(top, 'cache'), 'images', 'frozen')
  let count = 0
  return {
    dir,
    async sh(command, env = {}) {
      const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST|NODE_ENV)/.test(name))
      const run = await execa('bash', ['-eo', 'pipefail', '-c', command], {
        ...{ cwd: dir, extendEnv: false, all: true, reject: false, stdin: 'ignore', timeout: 30 * minutes },
        env: {
          ...Object.fromEntries(inherited),
          ...{ CI: 'true', NO_COLOR: '1', VITEST_RASPI_CACHE: cacheDir, ...env },
        },
      })
      return { output: run.all, code: run.exitCode }
    },
    again() {
      const away = join(top, `job-${++count}`)
      mkdirSync(away)
      if (existsSync(join(dir, '.vitest'))) renameSync(join(dir, '.vitest'), join(away, '.vitest'))
      return away
    },
  }
})

/** Runs all commands of a job, in their order; each has to succeed. Gives what they have said. */
async function runAll(
  { sh }: Checkout,
  commands: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  let said = ''
  for (const command of commands) {
    const { output, code } = await sh(command, env)
    expect(code, `${command}\n${output}`).toBe(0)
    said += output
  }
  return said
}

const commandsOf = (name: string, job: string) =>
  githubSteps(workflow(name))
    .jobs.find((each) => each.name === job)
    ?.steps.flatMap(({ run }) => run ?? []) ?? []

// Those of github-arm64.yml are the same: a unit test sees to that.
test.for(['github-x86.yml', 'self-hosted-pi.yml'])(
  'the commands of %s do what they are for',
  { timeout: 60 * minutes },
  async (name, { checkout }) => {
    const outputs = join(checkout.again(), 'outputs')
    const said = await runAll(checkout, commandsOf(name, 'test'), { GITHUB_OUTPUT: outputs })
    expect(said).toMatch(/Tests +3 passed/)
    if (name.startsWith('github')) expect(readFileSync(outputs, 'utf8')).toMatch(/^key=vitest-raspi-/)
  },
)

test('the commands of github-shards.yml make one report of all shards', { timeout: 90 * minutes }, async ({
  checkout,
}) => {
  const file = 'github-shards.yml'
  // A second and a third file: no more shards than files.
  for (const name of ['second', 'third'])
    writeFileSync(
      join(checkout.dir, 'test', `${name}.test.ts`),
      `import { test } from 'vitest-raspi'\ntest('${name}', async ({ pi }) => void (await pi.run('true')))\n`,
    )
  const away = checkout.again()
  await runAll(checkout, commandsOf(file, 'prepare'), { GITHUB_OUTPUT: join(away, 'outputs') })
  for (const shard of [1, 2, 3]) {
    checkout.again()
    await runAll(checkout, commandsOf(file, 'test'), { SHARD: `${shard}/3` })
    const artifact = join(checkout.dir, 'shards', `shard-${shard}`)
    mkdirSync(artifact, { recursive: true })
    renameSync(join(checkout.dir, '.vitest'), join(artifact, '.vitest'))
  }
  const said = await runAll(checkout, commandsOf(file, 'report'))
  expect(said).toMatch(/Tests +5 passed/)
  expect(readFileSync(join(checkout.dir, '.vitest/raspi/index.html'), 'utf8')).toContain('third')
  expect(existsSync(join(checkout.dir, '.vitest/raspi/timings.json'))).toBe(true)
  rmSync(join(checkout.dir, 'shards'), { recursive: true })
})

test('the commands of gitlab-ci.yml make one report of all jobs', { timeout: 90 * minutes }, async ({
  checkout,
}) => {
  for (const { name, parallel, script } of gitlabJobs(workflow('gitlab-ci.yml')).jobs) {
    for (let index = 1; index <= parallel; index++) {
      checkout.again()
      const env = { CI_NODE_INDEX: `${index}`, CI_NODE_TOTAL: `${parallel}`, CI_PROJECT_DIR: checkout.dir }
      const said = await runAll(checkout, script, env)
      if (name === 'report') expect(said).toMatch(/Tests +5 passed/)
    }
  }
  rmSync(join(checkout.dir, 'shards'), { recursive: true })
})
