import { once } from 'node:events'
import { resolve } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Bmc } from '../../../src/bmc/bmc.ts'
import type { PiSource } from '../../../src/engine/engine.ts'
import { RaspiError } from '../../../src/errors.ts'
import { Lab } from '../../../src/lab/lab.ts'
import { LabHost } from '../../../src/lab/lab-host.ts'
import { PiSources } from '../../../src/lab/pi-sources.ts'
import type { Prepare } from '../../../src/lab/prepare.ts'
import { resolveOptions } from '../../../src/options.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aPi, labOf, requestOf } from './fake-pis.ts'

const startPiBmc = vi.hoisted(() => vi.fn<() => Promise<Bmc>>())
vi.mock('../../../src/lab/pi-bmc.ts', () => ({ startPiBmc }))

type Connect = (choice: unknown, context: unknown, sized: (sizes: object[]) => void) => Promise<void>
const connectEngines = vi.hoisted(() => vi.fn<Connect>())
vi.mock('../../../src/engine/docker/engines.ts', () => ({ connectEngines }))
// What is of this host's runs is none of this test's.
vi.mock('../../../src/host/run-dir.ts', async (original) => ({
  ...(await original<object>()),
  sweepDeadRuns: () => 0,
}))
vi.mock('../../../src/host/requirements.ts', async (original) => ({
  ...(await original<object>()),
  assertHost: async () => ({}),
}))

const { signal } = new AbortController()

test('Pis of which one cannot be handed over are ended, once all have been tried, and others get their places', async () => {
  const ended: number[] = []
  const end = (number: number) => async () => void ended.push(number)
  const { promise: handedOver, resolve } = Promise.withResolvers<void>()
  const late = new RaspiError('boot', "The Pi's service shell did not finish within 10 s")
  const lab = labOf([
    aPi(1, { handOver: () => Promise.reject(late), end: end(1) }),
    aPi(2, { handOver: () => handedOver, end: end(2) }),
    ...[aPi(3), aPi(4)],
  ])
  const lease = lab.lease(requestOf(2), signal, () => {})
  await expect.poll(() => lab.held).toHaveLength(1)
  expect(ended).toEqual([])
  resolve()
  await expect(lease).rejects.toBe(late)
  expect(ended).toEqual([1, 2])
  expect(lab.held).toEqual([])
  expect(await lab.lease(requestOf(2), signal, () => {})).toMatchObject({
    pis: [{ number: 3 }, { number: 4 }],
  })
})

test('where a BMC cannot be closed, its Pi is ended and its place is free all the same', async () => {
  const ended: number[] = []
  const lab = labOf([aPi(1, { end: async () => void ended.push(1) }), aPi(2), aPi(3)])
  const close = () => Promise.reject(new Error('ipmi_sim does not end'))
  vi.spyOn(LabHost.prototype, 'assertBmcs').mockResolvedValueOnce(undefined)
  startPiBmc.mockResolvedValueOnce({ close } as unknown as Bmc)
  const { pis, ...request } = requestOf(1)
  const lease = await lab.lease(
    { ...request, pis: pis.map((pi) => ({ ...pi, bmc: true })) },
    signal,
    () => {},
  )
  await expect(lab.release(lease.id)).rejects.toThrow('ipmi_sim does not end')
  expect([ended, lab.held]).toEqual([[1], []])
  expect((await lab.lease(requestOf(2), signal, () => {})).pis).toHaveLength(2)
})

test('a holder that gives up does not wait for an engine that hangs', async () => {
  vi.spyOn(LabHost.prototype, 'engine').mockReturnValueOnce(new Promise(() => {}))
  const lab = new Lab(resolveOptions({ engine: 'docker' }), () => {})
  onTestFinished(() => lab.close())
  const gone = AbortSignal.timeout(10)
  await expect(lab.lease(requestOf(1), gone, () => {})).rejects.toThrow('due to timeout')
})

test('in a container no more Pis live than its memory limit leaves room for', () => {
  vi.spyOn(process, 'availableMemory').mockReturnValueOnce(1024 ** 3)
  const lab = new Lab(resolveOptions({ engine: 'process' }), () => {})
  onTestFinished(() => lab.close())
  expect(() => lab.assertRoom(3, 'a test')).toThrow('1024 MiB were free, enough for 0 beside Ansible')
})

test('for how many Pis there is room elsewhere is known once the engine is', async () => {
  vi.spyOn(process, 'availableMemory').mockReturnValueOnce(1024 ** 3)
  const lab = new Lab(resolveOptions({ engine: 'docker', cacheDir: scratchDir() }), () => {})
  onTestFinished(() => lab.close())
  connectEngines.mockImplementationOnce(async (_, __, sized) => sized([{ free: 1e12, cores: 8 }]))
  await lab.sized(signal)
  expect(() => lab.assertRoom(3, 'a test')).not.toThrow()
})

test('the cache begins at the working directory, and its path is absolute', () => {
  const lab = new Lab(resolveOptions({ engine: 'process', cacheDir: '.cache/raspi' }), () => {})
  onTestFinished(() => lab.close())
  expect(lab.cacheDir).toBe(resolve('.cache/raspi'))
})

test('who waits for more Pis than the engines that are left have room for is told so', async () => {
  const [hosts, rest] = [[{ free: 1e12, cores: 1 }], [{ free: 0, cores: 1 }]]
  const lab = labOf([aPi(1), aPi(2)], { maxPis: undefined, engine: 'docker', cacheDir: scratchDir() })
  connectEngines.mockImplementationOnce(async (_, __, sized) => sized(hosts))
  const lease = await lab.lease(requestOf(2), signal, () => {})
  const waiting = lab.lease(requestOf(2, 'another test'), signal, () => {})
  await expect.poll(() => lab.waiting).toBe(1)
  connectEngines.mock.calls[0]?.[2](rest)
  await expect(waiting).rejects.toThrow('another test asks for 2 Pis, and at most 1 can live here at once.')
  await lab.release(lease.id)
})

test('a preparation for which the engines that are left have no room is told so, whenever one was lost', async () => {
  const spies = [
    vi.spyOn(PiSources.prototype, 'ofImage').mockResolvedValue({} as PiSource),
    vi.spyOn(LabHost.prototype, 'ansible').mockResolvedValue({ ansibleVersion: '2.19', programEnv: {} }),
  ]
  onTestFinished(() => spies.forEach((spy) => void spy.mockRestore()))
  const { promise: lost, resolve } = Promise.withResolvers<void>()
  const prepare: Prepare = async (_, { steps }, { room, signal }) => {
    if (steps[0]?.playbook === 'late.yml') await lost
    await room(2)
    await once(signal, 'abort')
    throw signal.reason
  }
  const options = { engine: 'docker', cacheDir: scratchDir(), readyPis: 0 } as const
  const lab = new Lab(resolveOptions(options), () => {}, prepare)
  const leased = (playbook: string) =>
    lab.lease({ ...requestOf(2), prepare: { steps: [{ playbook }], hosts: [] } }, signal, () => {})
  connectEngines.mockClear()
  connectEngines.mockImplementationOnce(async (_, __, sized) => sized([{ free: 1e12, cores: 1 }]))
  const first = leased('first.yml')
  await expect.poll(() => connectEngines).toHaveBeenCalled()
  const why = /^A preparation asks for 2 Pis, and at most 1 can live here at once\.\n.*Ask for fewer/
  const refused = [leased('waits.yml'), leased('late.yml')].map((lease) => expect(lease).rejects.toThrow(why))
  await expect.poll(() => lab.waiting).toBe(1)
  connectEngines.mock.calls[0]?.[2]([{ free: 0, cores: 1 }])
  resolve()
  await Promise.all(refused)
  const closed = expect(first).rejects.toThrow('The run has ended.')
  await lab.close()
  await closed
})
