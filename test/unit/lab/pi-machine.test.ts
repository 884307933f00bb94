import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import type { FirstStart } from '../../../src/lab/first-starts.ts'
import { PiMachine } from '../../../src/lab/pi-machine.ts'
import { boards } from '../../../src/machine/boards.ts'
import { Door } from '../../../src/machine/door.ts'
import { HostPlace } from '../../../src/machine/host-place.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aQemu } from './fake-qemu.ts'

/** A place on a host without QEMU. */
function aPlace(dir: string) {
  const tools = { qemu: 'no-qemu', qemuVersion: '7.2.22', qemuImg: 'no-qemu-img' }
  return new HostPlace(dir, { path: '/none/card.raw', format: 'raw' }, tools, () => {})
}

/** What there is of a Pi before QEMU is started. */
async function aMachineBehindADoor() {
  const dir = scratchDir()
  const door = await Door.open({ port: 0 })
  const connection = {
    ...{ host: '127.0.0.1', port: door.port, user: 'pi' },
    ...{ privateKeyFile: 'key', knownHostsFile: 'known' },
  }
  const context = {
    ...{ hostname: 'compute00', board: boards.raspi3b, nics: { mac: 'b8:27:eb:00:00:01' } },
    ...{ signal: new AbortController().signal, notEmulated: () => {} },
  }
  const machine = new PiMachine(context, aPlace(dir), door, connection, join(dir, 'ssh'))
  onTestFinished(() => machine.end())
  return { machine, door }
}

const aMachine = async () => (await aMachineBehindADoor()).machine

test('a slow card is slow on each machine that is started on it, until it is mended', async () => {
  const pi = await aMachine()
  const [first, second, third] = [aQemu(), aQemu(), aQemu()]
  await pi.adopt(first)
  expect(first.limitCard).not.toHaveBeenCalled()
  await pi.fault({ card: { bytesPerSecond: 200_000 } })
  expect(first.limitCard).toHaveBeenCalledWith({ bytesPerSecond: 200_000 })
  await pi.adopt(second)
  expect(second.limitCard).toHaveBeenCalledWith({ bytesPerSecond: 200_000 })
  // It is mended at the end of a test that has left it off, too.
  Object.assign(second, { hasEnded: true })
  await pi.fault({ card: {} })
  await pi.adopt(third)
  expect(third.limitCard).not.toHaveBeenCalled()
  await pi.fault({ card: { operationsPerSecond: 10 } })
  expect(third.limitCard).toHaveBeenCalledWith({ operationsPerSecond: 10 })
})

test('one without power hangs no more, and cannot be made to', async () => {
  const pi = await aMachine()
  const qemu = aQemu()
  await pi.adopt(qemu)
  await pi.fault({ hangs: true })
  await pi.cut()
  await pi.fault({ hangs: false })
  await expect(pi.fault({ hangs: true })).rejects.toThrow('Pi compute00 is off')
})

test('a first start of which no machine came is still to come', async () => {
  const machine = await aMachine()
  let started = 0
  await machine.wait(async () => {
    started++
    throw new Error(`no ${started}`)
  })
  await expect(machine.switchOn()).rejects.toThrow('no 1')
  expect(machine.power).toBe('off')
  await expect(machine.switchOn()).rejects.toThrow('no 2')
})

/** A first start that never comes to its end, and tells how often it has begun; with `machine` on one that runs. */
function anEndlessStart(machine?: { pi: PiMachine; qemus: ReturnType<typeof aQemu>[] }) {
  return vi.fn(async (cut: AbortSignal) => {
    const qemu = aQemu()
    machine?.qemus.push(qemu)
    await machine?.pi.adopt(qemu)
    await once(cut, 'abort')
    throw cut.reason
  })
}

test('a plug that is pulled ends a first start, which is still to come then', async () => {
  const pi = await aMachine()
  const start = anEndlessStart()
  await pi.wait(start)
  for (const count of [1, 2]) {
    const on = pi.switchOn()
    const failed = expect(on).rejects.toThrow('Pi compute00 was not started: its power was cut.')
    await vi.waitFor(() => expect(start).toHaveBeenCalledTimes(count))
    expect(pi.power).toBe('on')
    await pi.cut()
    expect(pi.power).toBe('off')
    await failed
  }
  // And one that has only been asked for.
  const asked = expect(pi.switchOn()).rejects.toThrow('its power was cut')
  await pi.cut()
  await asked
  expect(start).toHaveBeenCalledTimes(2)
})

test('a first start goes on by itself as soon as a machine runs, and can be cut and reset then', async () => {
  const pi = await aMachine()
  const qemus: ReturnType<typeof aQemu>[] = []
  const start = anEndlessStart({ pi, qemus })
  await pi.wait(start)
  await pi.switchOn(false)
  expect(qemus).toMatchObject([{ hasEnded: false }])
  // Where it is on already it is waited for all the same.
  const wasReset = expect(pi.switchOn()).rejects.toThrow('Pi compute00 was not started: it was reset.')
  await pi.reset(false)
  await wasReset
  expect(qemus).toMatchObject([{ hasEnded: true }, { hasEnded: false }])
  expect(pi.power).toBe('on')
  await pi.cut()
  expect(qemus).toMatchObject([{ hasEnded: true }, { hasEnded: true }])
  expect(pi.power).toBe('off')
  await pi.switchOn(false)
  expect(start).toHaveBeenCalledTimes(3)
})

test('a first start and a deployment end when the machine is lost, with what it was lost by', async () => {
  const lossDuring = async (come: (pi: PiMachine, start: FirstStart) => Promise<void>) => {
    const { machine: pi, door } = await aMachineBehindADoor()
    const qemus: ReturnType<typeof aQemu>[] = []
    const coming = expect(come(pi, anEndlessStart({ pi, qemus }))).rejects.toThrow(
      'Pi compute00 is lost: its kernel panicked',
    )
    await vi.waitFor(() => expect(qemus).toHaveLength(1))
    Object.assign(qemus[0] ?? {}, { fate: () => 'its kernel panicked', hasEnded: true })
    qemus[0]?.emit('end', 'crashed')
    await coming
    expect(pi.power).toBe('off')
    expect(await refusalAt(door)).toBeDefined()
  }
  await lossDuring(async (pi, start) => {
    await pi.wait(start)
    await pi.switchOn()
  })
  await lossDuring((pi, start) => pi.begin(pi.place, start))
})

test('a guest that reboots itself while its power is cut, or it is reset, is not booted once more by that', async () => {
  const bootsAfter = async (action: 'cut' | 'reset') => {
    const pi = await aMachine()
    const boot = vi.spyOn(pi, 'boot').mockImplementation(() => pi.adopt(aQemu()))
    vi.spyOn(pi, 'openConnection').mockResolvedValue()
    const [qemu, { promise: loggedIn, resolve }] = [aQemu(), Promise.withResolvers<void>()]
    await pi.wait(async () => {
      await pi.adopt(qemu)
      // Somebody can log in by now: neither ends it.
      await loggedIn
    })
    await pi.switchOn(false)
    const done = pi.change(action)
    await turn()
    qemu.hasEnded = true
    qemu.emit('end', 'reboot')
    resolve()
    const power = await done
    await turn()
    return { boots: boot.mock.calls.length, power: [power, pi.power] }
  }
  expect(await bootsAfter('cut')).toEqual({ boots: 0, power: ['off', 'off'] })
  expect(await bootsAfter('reset')).toEqual({ boots: 1, power: ['on', 'on'] })
})

test('a Pi that loses its power while it is deployed is not deployed', async () => {
  const pi = await aMachine()
  await pi.vacate()
  const begun = pi.begin(pi.place, anEndlessStart({ pi, qemus: [] }))
  const failed = expect(begun).rejects.toThrow('its power was cut')
  await expect.poll(() => pi.power).toBe('on')
  await pi.cut()
  await failed
  await expect(pi.switchOn()).rejects.toThrow('nothing is deployed on it')
})

test('one with nothing on its card cannot be switched on, until something has begun on it', async () => {
  const machine = await aMachine()
  let started = 0
  await machine.wait(async () => void started++)
  writeFileSync(machine.card, 'a card')
  await machine.vacate()
  expect(existsSync(machine.card)).toBe(false)
  await expect(machine.switchOn()).rejects.toThrow(
    'Pi compute00 cannot be switched on: nothing is deployed on it.\n  Deploy an image first',
  )
  // What was to come when it is switched on went with the card.
  expect(started).toBe(0)
  expect(machine.power).toBe('off')

  await expect(machine.begin(machine.place, () => Promise.reject(new Error('no boot')))).rejects.toThrow(
    'no boot',
  )
  await expect(machine.switchOn()).rejects.toThrow('nothing is deployed on it')

  const { promise, resolve } = Promise.withResolvers<void>()
  const begun = machine.begin(machine.place, () => promise)
  await expect.poll(() => machine.power).toBe('on')
  resolve()
  await begun
  // It boots now: what fails is that there is no QEMU here.
  await expect(machine.switchOn()).rejects.toThrow(/card could not be written/)
})

/** Why `door` sends a caller away. */
async function refusalAt(door: Door): Promise<string | undefined> {
  const heard = await text(connect(door.port, '127.0.0.1'))
  return /Pi compute00 is off[^\0]*/.exec(heard)?.[0]
}

const unstarted = 'Pi compute00 is off: it could not be started'

test('who comes to one that could not be started is told so', { timeout: 10_000 }, async () => {
  const { machine, door } = await aMachineBehindADoor()
  // There is no QEMU here.
  await expect(machine.switchOn()).rejects.toThrow()
  expect(await refusalAt(door)).toBe(unstarted)
  await expect(machine.begin(machine.place, () => Promise.reject(new Error('no boot')))).rejects.toThrow()
  expect(await refusalAt(door)).toBe(unstarted)
  await machine.adopt(aQemu())
  await expect(machine.reset()).rejects.toThrow()
  expect(await refusalAt(door)).toBe(unstarted)
})

test('who comes to one that was lost is told so', { timeout: 10_000 }, async () => {
  const { machine, door } = await aMachineBehindADoor()
  const qemu = aQemu()
  await machine.adopt(qemu)
  qemu.hasEnded = true
  qemu.emit('end', 'crashed')
  await new Promise<RaspiError>((resolve) => machine.whenLost(resolve))
  expect(await refusalAt(door)).toBe('Pi compute00 is off: it was lost')
})

test('a place that it is deployed to when it has ended is given up', async () => {
  const machine = await aMachine()
  await machine.end()
  const given: string[] = []
  const place = Object.assign(aPlace(scratchDir()), { end: async () => void given.push('up') })
  await machine.begin(place, () => Promise.reject(new Error('never')))
  expect(given).toEqual(['up'])
})

test('whatever it is lost by is told as an error of ours, which names it', async () => {
  const lossBy = async (reason: unknown) => {
    const machine = await aMachine()
    machine.lose(reason)
    return new Promise<RaspiError>((resolve) => machine.whenLost(resolve))
  }
  const full = new Error('ENOSPC: no space left on device')
  expect(await lossBy(full)).toMatchObject({
    shortMessage: 'Pi compute00 is lost: ENOSPC: no space left on device',
    cause: full,
  })
  const ours = new RaspiError('boot', 'Pi compute00 did not come back from its checkpoint')
  expect(await lossBy(ours)).toBe(ours)
})
