import { setTimeout as delay } from 'node:timers/promises'
import { test as base, expect } from 'vitest'
import { Dockerd, hasDockerd, imageTar } from '../support/dockerd.ts'
import { Project } from '../support/project.ts'

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
  'clock.test.ts': `
import { expect, test } from 'vitest-raspi'
const late = async (pi) => Math.abs(Number((await pi.run('date +%s')).stdout) - Date.now() / 1000)
test('what time it is', { timeout: 900_000 }, async ({ pi }) => {
  expect(await late(pi)).toBeLessThan(30)
  await pi.reboot()
  expect(await late(pi)).toBeLessThan(60)
})
`,
  'held.test.ts': `
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'vitest-raspi'
test('a Pi that is held', { timeout: 900_000 }, async ({ pi }) => {
  console.log('HELD', pi.hostname)
  while (!existsSync('enough')) { await pi.run('true'); await delay(200) }
})
`,
}

const test = base
  .extend('tar', { scope: 'file' }, () => imageTar())
  .extend('engine', { scope: 'file' }, async ({ tar }, { onCleanup }) => {
    const engine = await Dockerd.start()
    onCleanup(() => engine[Symbol.asyncDispose]())
    engine.importImage(tar, image)
    return engine
  })

const optionsFor = (...addresses: string[]) =>
  `engine: { docker: ${JSON.stringify(addresses)}, image: '${image}' }, readyPis: 0`

test.runIf(hasDockerd())(
  'a Pi in a container has its playbook and its reboot, and leaves no container',
  { timeout: 20 * minutes },
  async ({ engine, onTestFinished }) => {
    const project = new Project({ files, options: optionsFor(engine.address) })
    onTestFinished(() => project[Symbol.dispose]())
    const { code, output } = await project.vitest(['pi.test.ts']).finished(18 * minutes)
    expect(output).toMatch(/Tests +1 passed/)
    expect(code).toBe(0)
    expect(engine.containers()).toEqual([])
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
    expect(engine.containers()).toHaveLength(2)
    process.kill(run.pid, 'SIGKILL')
    await expect.poll(() => engine.containers(), { timeout: 10_000 }).toHaveLength(1)
    expect(other.startsWith(engine.containers()[0] ?? 'none')).toBe(true)
    engine.docker('rm', '-f', other)
  },
)

test.runIf(hasDockerd())(
  'of two engines one is killed: its Pi is lost with a word, the other goes on, and nothing is left',
  { timeout: 25 * minutes },
  async ({ engine, onTestFinished }) => {
    await using second = await Dockerd.start()
    engine.giveImage(image, second)
    const project = new Project({
      files: {
        ...files,
        'two.test.ts': files['held.test.ts'].replaceAll('a Pi that is held', 'another that is held'),
      },
      options: `${optionsFor(engine.address, second.address)}, maxPis: 2`,
    })
    onTestFinished(() => project[Symbol.dispose]())
    const run = project.vitest(['held.test.ts', 'two.test.ts', '--maxWorkers=2'])
    await run.until(() => run.output.split('HELD').length === 3, 'two Pis', 20 * minutes)
    expect([engine.containers().length, second.containers().length]).toEqual([1, 1])
    await second.kill()
    await run.says(/does not answer any more, and gets no more Pis/, minutes)
    await run.says(/× (a Pi|another) that is held/, minutes)
    await delay(3_000)
    expect(engine.containers()).toHaveLength(1)
    project.write({ enough: '' })
    const { output, code } = await run.finished(minutes)
    expect(output).toMatch(/is lost: .*is gone/)
    expect(output).toMatch(/Tests +1 failed \| 1 passed/)
    expect(code).toBe(1)
    await expect.poll(() => engine.containers(), { timeout: 10_000 }).toEqual([])
  },
)

test.runIf(hasDockerd())(
  'Pis have the time of this host where their engine has another',
  { timeout: 25 * minutes },
  async ({ engine, tar, onTestFinished }) => {
    const late = 'test/qemu:late'
    const preload = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'
    // Only what time it is: QEMU measures by the other clock.
    engine.importImage(tar, late, `ENV LD_PRELOAD=${preload} FAKETIME=-400d FAKETIME_DONT_FAKE_MONOTONIC=1`)
    const told = engine.docker('run', '--rm', '--network', 'none', late, 'date', '+%s')
    expect(Date.now() / 1000 - Number(told)).toBeGreaterThan(399 * 24 * 3600)
    const project = new Project({ files, options: optionsFor(engine.address).replace(image, late) })
    onTestFinished(() => project[Symbol.dispose]())
    const { code, output } = await project.vitest(['clock.test.ts']).finished(23 * minutes)
    expect(output).toMatch(/Tests +1 passed/)
    expect(code).toBe(0)
  },
)
