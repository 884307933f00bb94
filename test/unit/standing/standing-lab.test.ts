import { rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import { StandingLabs } from '../../../src/standing/client.ts'
import type { StandingRequest } from '../../../src/standing/protocol.ts'
import { StandingLab } from '../../../src/standing/standing-lab.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { FakeLab } from './fake-lab.ts'

let fake: FakeLab
/** As other processes have them. */
let labs: StandingLabs
let up: string[]

beforeEach(() => {
  fake = new FakeLab()
  labs = new StandingLabs({ XDG_RUNTIME_DIR: scratchDir() })
  up = []
})

const wanted = (name: string) => ({ name, hostname: name, groups: [], vars: {} })

/** Begins to bring up Pis of these names. */
function bringUp(names: string[], wish: Partial<StandingRequest> = {}): Promise<StandingLab> {
  const started = StandingLab.start(
    { pis: names.map(wanted), groupChildren: {}, firstPort: 22_220, options: {}, ...wish },
    {
      ...{ registry: labs.registry, detached: false, log: () => {}, claimed: () => {} },
      ...{ up: (name) => up.push(name), signal: new AbortController().signal },
    },
    fake.lab,
  )
  started.catch(() => {})
  onTestFinished(async () => (await started.catch(() => undefined))?.close('the test is over'))
  return started
}

test('a Pi that is taken down while it starts is gone, and the others come up', async () => {
  const lab = bringUp(['boreas', 'zephyrus'])
  await fake.start('boreas')
  await labs.down(await labs.find(['boreas']))
  ;(await fake.start('zephyrus')).finish()
  expect((await lab).list().map(({ name }) => name)).toEqual(['zephyrus'])
  expect([...fake.living.values()]).toEqual(['zephyrus'])
  expect(up).toEqual(['zephyrus'])
})

test('a lab whose Pis are all taken down while they start has not come up, and is over', async () => {
  const lab = bringUp(['boreas'])
  await fake.start('boreas')
  // It is answered, and waits for the end of the process, which is this one.
  void labs.down(await labs.find(['boreas']))
  await expect(lab).rejects.toThrow('No Pi is up: each was taken down while it started.')
  expect(fake.close).toHaveBeenCalledOnce()
  expect(labs.labs()).toEqual([])
})

test('a Pi that is reset while it starts is started again only once it is up', async () => {
  const lab = bringUp(['boreas'])
  const first = await fake.start('boreas')
  const taken = vi.spyOn(StandingLab.prototype, 'reset')
  onTestFinished(() => taken.mockRestore())
  const reset = labs.reset(await labs.find(['boreas']))
  await expect.poll(() => taken).toHaveBeenCalled()
  await turn()
  expect(fake.starts).toHaveLength(1)
  first.finish()
  ;(await fake.start('boreas', 2)).finish()
  expect(await reset).toMatchObject([{ name: 'boreas', state: 'up' }])
  await lab
  expect([...fake.living.values()]).toEqual(['boreas'])
})

test('a Pi that a test has left is not made fresh, and stays as it is', async () => {
  const lab = await StandingLab.beside(fake.lab, labs.registry)
  onTestFinished(() => lab.close('the test is over'))
  fake.living.set(7, 'pi')
  expect(await lab.keep(7, 'kept')).toEqual(['test-7'])
  await expect(labs.reset(await labs.find(['test-7']))).rejects.toThrow(
    'Pi test-7 cannot be made fresh: a test has left it, and only that makes another.\n' +
      '  `vitest-raspi down test-7` ends it; run the test again for a fresh one.',
  )
  expect(fake.living.has(7)).toBe(true)
  expect(fake.starts).toEqual([])
})

test('a Pi keeps its number and the address of its BMC, also where one reset has failed', async () => {
  const up = bringUp(['boreas'], { bmc: true })
  ;(await fake.start('boreas')).finish()
  const [before] = (await up).list()
  const failed = labs.reset(await labs.find(['boreas']))
  ;(await fake.start('boreas', 2)).finish(new RaspiError('boot', 'It did not boot.'))
  await expect(failed).rejects.toThrow('It did not boot.')
  const reset = labs.reset(await labs.find(['boreas']))
  const { request, finish } = await fake.start('boreas', 3)
  expect(request.pis).toMatchObject([{ number: 1, bmc: before?.bmc }])
  finish()
  expect(await reset).toMatchObject([{ bmc: before?.bmc }])
})

test('a Pi that is lost is neither switched nor provisioned: only reset makes it one that can be reached', async () => {
  const up = bringUp(['boreas'])
  const { finish, lose } = await fake.start('boreas')
  finish()
  await up
  const [pi] = await labs.find(['boreas'])
  if (!pi) throw new Error('no Pi')
  expect(await labs.power(pi, 'on')).toBe('on')
  lose(new RaspiError('boot', 'Pi boreas is lost: QEMU was killed'))
  const lost = 'Pi boreas is lost: QEMU was killed.\n  `vitest-raspi reset boreas` makes it fresh.'
  await expect(labs.power(pi, 'on')).rejects.toThrow(lost)
  await expect(labs.provision(pi, 'clean')).rejects.toThrow(lost)
  expect(await labs.power(pi, undefined)).toBe('on')
  expect(fake.powered).toEqual(['on'])
})

test("a lab that outlives the user's session is found from the next one, by whatever reads of it", async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const up = bringUp(['boreas'])
  ;(await fake.start('boreas')).finish()
  const lab = await up
  const { registry } = labs
  const inventory = registry.readInventory(lab.entry)
  const sessionDir = dirname(registry.dir)
  rmSync(sessionDir, { recursive: true })
  // Between sessions nothing can be made there.
  writeFileSync(sessionDir, '')
  vi.advanceTimersByTime(10_000)
  rmSync(sessionDir)
  vi.advanceTimersByTime(10_000)
  expect(await labs.find([])).toMatchObject([{ name: 'boreas', state: 'up' }])
  expect(registry.readInventory(lab.entry)).toBe(inventory)
  rmSync(registry.inventoryDir, { recursive: true })
  vi.advanceTimersByTime(10_000)
  expect(registry.readInventory(lab.entry)).toBe(inventory)
  await lab.close('the test is over')
  vi.advanceTimersByTime(10_000)
  expect(registry.entries()).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
