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

// Once the other run has its Pi too, each asks its network for an address that the other does not ask for.
const networked = {
  'a.test.ts': `
import { existsSync, writeFileSync } from 'node:fs'
import { expect, raspiTest } from 'vitest-raspi'
const test = raspiTest({ hosts: { pi: { networks: ['net'] } } })
test('a Pi on a network', { timeout: 240_000 }, async ({ pi, networks }) => {
  const { MINE, OTHERS, READY, OTHERS_READY } = process.env
  console.log('MAC', pi.nics[0].mac)
  writeFileSync(READY, '')
  await expect.poll(() => existsSync(OTHERS_READY), { timeout: 120_000 }).toBe(true)
  await pi.run('ping -n -c 3 -W 1 ' + MINE, { reject: false })
  expect(await networks.net.frames({ protocol: 'arp', address: MINE })).not.toEqual([])
  expect(await networks.net.frames({ address: OTHERS })).toEqual([])
})`,
}

function twoProjects(options = '', given: Record<string, string> = files) {
  const projects = [new Project({ files: given, options }), new Project({ files: given, options })] as const
  onTestFinished(() => {
    for (const project of projects) project[Symbol.dispose]()
  })
  return projects
}

test('two runs at once share what is there, and networks of the same name only in name', {
  timeout: 300_000,
}, async () => {
  const [one, other] = twoProjects('', networked)
  const [ready, otherReady] = [join(one.root, 'ready'), join(other.root, 'ready')]
  const runs = [
    one.vitest([], { MINE: '10.77.1.101', OTHERS: '10.77.1.102', READY: ready, OTHERS_READY: otherReady }),
    other.vitest([], { MINE: '10.77.1.102', OTHERS: '10.77.1.101', READY: otherReady, OTHERS_READY: ready }),
  ]
  const ends = await Promise.all(runs.map((run) => run.finished(280_000)))
  for (const { code, output } of ends) {
    expect(output).toContain('1 passed')
    expect(code).toBe(0)
  }
  const [mac, otherMac] = ends.map(({ output }) => /MAC (\S+)/.exec(output)?.[1])
  expect(mac).toMatch(/^[\da-f:]{17}$/)
  expect(otherMac).toBe(mac)
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
