import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { worldTag } from '../../src/host/world.ts'
import { onDocker, unfrozen } from '../support/engine.ts'
import { entriesOf, makeCache, Project } from '../support/project.ts'

// Two terminals, or two jobs on one CI machine, with one cache.

const files = {
  'a.test.ts': `
import { expect, test } from 'vitest-raspi'
test('a Pi', async ({ pi }) => {
  expect((await pi.run('uname -m')).stdout).toBe('aarch64\\n')
})`,
}

function twoProjects(options = '') {
  const projects = [new Project({ files, options }), new Project({ files, options })] as const
  onTestFinished(() => {
    for (const project of projects) project[Symbol.dispose]()
  })
  return projects
}

test('two runs at once share what is there', { timeout: 300_000 }, async () => {
  const ends = await Promise.all(twoProjects().map((project) => project.vitest().finished(280_000)))
  for (const { code, output } of ends) {
    expect(output).toContain('1 passed')
    expect(code).toBe(0)
  }
})

test('of two runs that need a new frozen Pi one makes it, and the other waits', {
  timeout: 600_000,
}, async () => {
  const projects = twoProjects(unfrozen(700))
  const cache = makeCache(join(projects[0].root, 'cache'), 'images')
  // What an interrupted run would have left.
  mkdirSync(join(cache, 'tmp', `frozen-${worldTag()}-999999999-1-1`), { recursive: true, mode: 0o700 })
  const runs = projects.map((project) => project.vitest([], { VITEST_RASPI_CACHE: cache }))
  const ends = await Promise.all(runs.map((run) => run.finished(580_000)))
  for (const { code, output } of ends) {
    expect(output).toContain('1 passed')
    expect(code).toBe(0)
  }
  const saying = (text: string) => ends.filter(({ output }) => output.includes(text))
  expect(saying('Freezing a booted Pi of')).toHaveLength(1)
  expect(saying('another process is at it, waiting for it')).toHaveLength(1)
  // A Docker engine has it as a container image.
  expect(entriesOf(cache, 'frozen')).toHaveLength(onDocker ? 0 : 1)
  expect(readdirSync(join(cache, 'tmp'))).toEqual([])
})
