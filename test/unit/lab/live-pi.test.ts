import { once } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Engine, PiSource } from '../../../src/engine/engine.ts'
import { thaw } from '../../../src/freeze/thaw.ts'
import { LivePi, type StartContext } from '../../../src/lab/live-pi.ts'
import { type Board, boards, virt } from '../../../src/machine/boards.ts'
import type { Place } from '../../../src/machine/place.ts'
import type { ServiceShell } from '../../../src/machine/service-shell.ts'
import { openSshMaster, runBySsh } from '../../../src/pi/ssh.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aQemu } from './fake-qemu.ts'

vi.mock('../../../src/freeze/thaw.ts')
vi.mock('../../../src/pi/ssh.ts')

/**
 * A thawed Pi that has been handed over, or is `off` until it is switched on, with the machine and the root shell that it has
 * in place of a QEMU's.
 */
async function aLentPi({ board = boards.raspi3b, ...more }: Partial<StartContext & { board: Board }> = {}) {
  const [qemu, dir] = [aQemu(), scratchDir()]
  const shell = { run: vi.fn(async (_: string) => ({ status: 0, output: '' })), finish: vi.fn(), close() {} }
  vi.mocked(thaw).mockResolvedValue({ machine: qemu, shell: shell as unknown as ServiceShell })
  vi.mocked(openSshMaster).mockResolvedValue({
    close() {},
    rest() {},
    wake() {},
    closed: new Promise(() => {}),
  })
  const place = { dir, logDir: dir, end: async () => {} }
  const pi = await LivePi.start({ image: { user: 'pi' }, board, frozen: {} } as unknown as PiSource, {
    ...{ engine: { open: async () => place } as unknown as Engine, dir, number: 1, hostname: 'pi-1' },
    ...{ timeoutMs: 10_000, signal: new AbortController().signal, log() {}, notEmulated() {}, ...more },
  })
  onTestFinished(() => pi.end())
  if (!more.off) await pi.handOver()
  return { pi, qemu, shell }
}

test('what a Pi would still do holds up no plug that is pulled, and is not done before', async () => {
  for (const action of ['cut', 'reset'] as const) {
    const { pi, shell } = await aLentPi()
    shell.finish.mockReturnValue(new Promise(() => {}))
    const told = shell.run.mock.calls.length
    // A reset boots anew, for which there is no QEMU here.
    await pi.changePower(action).catch(() => {})
    expect(pi.power.state).toBe('off')
    await pi.settled()
    expect(shell.finish).not.toHaveBeenCalled()
    expect(shell.run).toHaveBeenCalledTimes(told)
  }
})

test('a first login that never comes is waited for until the plug is pulled', async () => {
  const { pi, qemu } = await aLentPi({ off: true })
  vi.mocked(openSshMaster).mockImplementation(async (_connection, _path, signal) => {
    await once(signal, 'abort')
    throw signal.reason
  })
  expect(await pi.changePower('on', false)).toBe('on')
  expect(qemu.hasEnded).toBe(false)
  expect(await pi.changePower('cut')).toBe('off')
  expect(qemu.hasEnded).toBe(true)
})

test('who can log in on a Pi at last does not lose it when its plug is pulled', async () => {
  const { pi, shell } = await aLentPi({ off: true })
  const { promise: kept, resolve } = Promise.withResolvers<{ status: number; output: string }>()
  shell.run.mockReturnValue(kept)
  const on = pi.changePower('on')
  await expect.poll(() => shell.run).toHaveBeenCalled()
  const cut = pi.changePower('cut')
  resolve({ status: 0, output: '' })
  await on
  expect(await cut).toBe('off')
})

test('a Pi whose engine hangs on its way is given up in time, with its place', async () => {
  const { promise: ended, reject } = Promise.withResolvers<never>()
  // On a busy host its end comes before anybody waits for it.
  ended.catch(() => {})
  vi.mocked(thaw).mockReturnValue(ended)
  const dir = scratchDir()
  const end = async () => reject(new Error('its container is gone'))
  const engine = { open: async () => ({ dir, logDir: dir, end }) } as unknown as Engine
  const source = { image: { user: 'pi' }, board: boards.raspi3b, frozen: {} } as unknown as PiSource
  const started = LivePi.start(source, {
    ...{ engine, dir, number: 1, hostname: 'pi-1', timeoutMs: 50 },
    ...{ signal: new AbortController().signal, log() {}, notEmulated() {} },
  })
  await expect(started).rejects.toThrow('Pi pi-1 took no ssh login within 0.05 s of its start')
})

test('a Pi whose engine hangs can be given back all the same', async () => {
  const dir = scratchDir()
  const hung = Promise.withResolvers<void>()
  const open: Engine['open'] = async (_source, _dir, signal) => {
    // What a container's place waits for ends with the signal alone.
    const remove = async () => {
      hung.resolve()
      await once(signal, 'abort')
      throw signal.reason
    }
    return { dir, logDir: dir, remove, end: async () => {} } as unknown as Place
  }
  const { pi } = await aLentPi({ off: true, engine: { open } as Engine })
  const wiped = expect(pi.wipe()).rejects.toThrow('Pi pi-1 has been given back.')
  await hung.promise
  await pi.end()
  await wiped
})

test('a first start at which an engine hangs is given up in time, and holds up no plug that is pulled then', async () => {
  const timeout = AbortSignal.timeout
  const spy = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(Math.min(ms, 100)))
  onTestFinished(() => spy.mockRestore())
  const { pi } = await aLentPi({ off: true, timeoutMs: 50 })
  vi.mocked(thaw).mockClear()
  vi.mocked(thaw).mockReturnValue(new Promise(() => {}))
  const on = expect(pi.changePower('on')).rejects.toThrow(
    'Pi pi-1 took no ssh login within 0.05 s of its start',
  )
  await expect.poll(() => thaw).toHaveBeenCalled()
  expect(await pi.changePower('cut')).toBe('off')
  await on
})

test('the power of a Pi that is lost is told, and not switched any more: its holder has been told for good', async () => {
  const { pi, qemu, shell } = await aLentPi()
  qemu.fate = () => 'QEMU was killed by SIGKILL'
  qemu.hasEnded = true
  qemu.emit('end', 'crashed')
  await new Promise((resolve) => pi.machine.whenLost(resolve))
  // Nothing comes of what it would still do.
  shell.finish.mockReturnValue(new Promise(() => {}))
  for (const action of ['on', 'off', 'cut', 'reset'] as const)
    await expect(pi.changePower(action)).rejects.toThrow(
      'Its power cannot be switched: Pi pi-1 is lost: QEMU was killed by SIGKILL',
    )
  expect(await pi.changePower(undefined)).toBe('off')
})

test('who a Pi is is on its card before it has a holder, and nothing is flushed afterwards', async () => {
  const { pi, shell } = await aLentPi()
  expect(shell.run.mock.calls.join()).toContain('sync -f /')
  shell.run.mockClear()
  shell.finish.mockResolvedValue(undefined)
  await pi.settled()
  expect(shell.finish).toHaveBeenCalledOnce()
  expect([...shell.run.mock.calls, ...shell.finish.mock.calls].join()).not.toContain('sync')
})

test('a Pi that comes back to a slow card is flushed before that is slow: no hand-over is too late by it', async () => {
  const { pi, shell } = await aLentPi({ off: true })
  const again = aQemu()
  vi.mocked(thaw).mockResolvedValue({ machine: again, shell: shell as unknown as ServiceShell })
  await pi.fault({ card: { bytesPerSecond: 1_000 } })
  shell.run.mockImplementation(async () => {
    expect(again.limitCard).not.toHaveBeenCalled()
    return { status: 0, output: '' }
  })
  await pi.changePower('on')
  expect(shell.run.mock.calls.join()).toContain('sync -f /')
  expect(again.limitCard).toHaveBeenCalledExactlyOnceWith({ bytesPerSecond: 1_000 })
})

test('a Pi that is to hang, or to shut down, does first what it would still do, but for one that hangs', async () => {
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const { pi, shell } = await aLentPi()
  shell.finish.mockReturnValue(done)
  const hung = vi.fn()
  const waiting = pi.fault({ hangs: true }).then(hung)
  await expect.poll(() => shell.finish).toHaveBeenCalled()
  expect(hung).not.toHaveBeenCalled()
  resolve()
  await waiting

  const hangs = await aLentPi()
  hangs.shell.finish.mockReturnValue(new Promise(() => {}))
  await hangs.pi.machine.fault({ hangs: true })
  await hangs.pi.settled()
  expect(hangs.shell.finish).not.toHaveBeenCalled()
})

test('the NICs of a Pi on networks are seen to once all are up, for its hub tells of each by itself', async () => {
  const nics = [{ network: 'mgmt', mac: 'dc:a6:32:00:00:01', interface: 'eth1', socket: '/mgmt' }]
  const { pi, qemu } = await aLentPi({ networks: { nics, hosts: [] } })
  const signal = new AbortController().signal
  vi.mocked(runBySsh).mockRejectedValueOnce(new Error('eth1 is not up'))
  await expect(pi.machine.quietNics(signal)).rejects.toThrow('eth1 is not up')
  expect(qemu.quietNics).not.toHaveBeenCalled()
  await pi.machine.quietNics(signal)
  expect(qemu.quietNics).toHaveBeenCalledOnce()
  expect(vi.mocked(runBySsh).mock.lastCall?.[4]?.input).toContain('dc:a6:32:00:00:01')
})

test('nobody logs in for the NICs of a board that cost nothing', async () => {
  const nics = [{ network: 'mgmt', mac: 'dc:a6:32:00:00:01', interface: 'eth1', socket: '/mgmt' }]
  const { pi } = await aLentPi({ board: virt(1024, 2, 'tcg'), networks: { nics, hosts: [] } })
  vi.mocked(runBySsh).mockClear()
  await pi.machine.quietNics(new AbortController().signal)
  expect(runBySsh).not.toHaveBeenCalled()
})
