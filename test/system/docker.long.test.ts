import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test as base, expect } from 'vitest'
import { defaultCacheDir, privateDir } from '../../src/host/paths.ts'
import { Dockerd, hasDockerd, makeImageTar } from './support/dockerd.ts'
import { Project } from './support/project.ts'

// Pis in containers of engines of the test's own. The container image comes from Debian's archive, once for a cache.

const image = 'test/qemu:1'
const minutes = 60_000

const files = {
  'site.yml': '- { hosts: all, gather_facts: false, tasks: [{ ansible.builtin.ping: }] }\n',
  'pi.test.ts': `
import { expect, test } from 'vitest-raspi'
test('a Pi', { timeout: 900_000 }, async ({ pi, ansible }) => {
  expect(await ansible.playbook('site.yml')).toSucceed()
  await pi.run('touch /var/tmp/mark')
  expect(await pi.reboot()).toBeUndefined()
  await expect(pi).toHaveFile('/var/tmp/mark')
})
`,
  'held.test.ts': `
import { test } from 'vitest-raspi'
import { setTimeout as delay } from 'node:timers/promises'
test('a Pi that is held', { timeout: 900_000 }, async ({ pi }) => {
  console.log('HELD', pi.hostname)
  for (;;) { await pi.run('true'); await delay(200) }
})
`,
}

const test = base
  .extend('tar', { scope: 'file' }, async () => {
    const tar = join(privateDir(defaultCacheDir(), 'tests'), 'qemu-trixie.tar')
    if (!existsSync(tar)) makeImageTar(tar)
    return tar
  })
  .extend('engine', { scope: 'file' }, async ({ tar }, { onCleanup }) => {
    const engine = await Dockerd.start()
    onCleanup(() => engine[Symbol.asyncDispose]())
    engine.importImage(tar, image)
    return engine
  })

const optionsFor = (...addresses: string[]) =>
  `engine: { docker: ${JSON.stringify(addresses)}, image: '${image}' }, readyPis: 0`

const containers = (engine: Dockerd) => engine.docker('ps', '-aq').split('\n').filter(Boolean)

test.runIf(hasDockerd())(
  'a Pi in a container has its playbook and its reboot, and leaves no container',
  { timeout: 20 * minutes },
  async ({ engine, onTestFinished }) => {
    const project = new Project({ files, options: optionsFor(engine.address) })
    onTestFinished(() => project[Symbol.dispose]())
    const { code, output } = await project.vitest(['pi.test.ts']).finished(18 * minutes)
    expect(output).toMatch(/Tests +1 passed/)
    expect(code).toBe(0)
    expect(containers(engine)).toEqual([])
  },
)

test.runIf(hasDockerd())(
  'a run that is killed leaves no container, and one of somebody else’s stays',
  { timeout: 20 * minutes },
  async ({ engine, onTestFinished }) => {
    const other = engine.docker('run', '-d', '--network', 'none', image, 'sleep', '600')
    const project = new Project({ files, options: optionsFor(engine.address) })
    onTestFinished(() => project[Symbol.dispose]())
    const run = project.vitest(['held.test.ts'])
    await run.says(/HELD/, 15 * minutes)
    expect(containers(engine)).toHaveLength(2)
    process.kill(run.pid, 'SIGKILL')
    await expect.poll(() => containers(engine), { timeout: 10_000 }).toHaveLength(1)
    expect(other.startsWith(containers(engine)[0] ?? 'none')).toBe(true)
    engine.docker('rm', '-f', other)
  },
)

test.runIf(hasDockerd())(
  'of two engines one is killed: its Pi is lost with a word, the other goes on, and nothing is left',
  { timeout: 25 * minutes },
  async ({ engine, tar, onTestFinished }) => {
    await using second = await Dockerd.start()
    second.importImage(tar, image)
    // The same image, as from a registry: by import each engine gives it an id of its own.
    second.docker('rmi', image)
    const saved = join(privateDir(defaultCacheDir(), 'tests'), `saved-${process.pid}.tar`)
    engine.docker('save', '-o', saved, image)
    second.docker('load', '-i', saved)
    const project = new Project({
      files: {
        ...files,
        'two.test.ts': files['held.test.ts'].replaceAll('a Pi that is held', 'another that is held'),
      },
      options: `${optionsFor(engine.address, second.address)}, maxPis: 2`,
    })
    onTestFinished(() => project[Symbol.dispose]())
    const run = project.vitest(['held.test.ts', 'two.test.ts'])
    await run.until(() => run.output.split('HELD').length === 3, 'two Pis', 20 * minutes)
    expect([containers(engine).length, containers(second).length]).toEqual([1, 1])
    await second.kill()
    await run.says(/is lost: .*is gone/, 2 * minutes)
    await delay(3_000)
    expect(containers(engine)).toHaveLength(1)
    process.kill(run.pid, 'SIGINT')
    await run.finished(minutes)
    await expect.poll(() => containers(engine), { timeout: 10_000 }).toEqual([])
  },
)
