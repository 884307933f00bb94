import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { FirstStart } from '../../../src/lab/first-starts.ts'
import type { PiMachine } from '../../../src/lab/pi-machine.ts'
import type { PiPower } from '../../../src/lab/pi-power.ts'
import type { Place } from '../../../src/machine/place.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aPi, aPlace, refusalAt } from './a-pi.ts'
import { aQemu } from './fake-qemu.ts'

test('a first start of which no machine came is still to come', async () => {
  const { power } = await aPi()
  let started = 0
  await power.wait(async () => {
    started++
    throw new Error(`no ${started}`)
  })
  await expect(power.switchOn()).rejects.toThrow('no 1')
  expect(power.state).toBe('off')
  await expect(power.switchOn()).rejects.toThrow('no 2')
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
  const { power } = await aPi()
  const start = anEndlessStart()
  await power.wait(start)
  for (const count of [1, 2]) {
    const on = power.switchOn()
    const failed = expect(on).rejects.toThrow('Pi compute00 was not started: its power was cut.')
    await expect.poll(() => start).toHaveBeenCalledTimes(count)
    expect(power.state).toBe('on')
    await power.cut()
    expect(power.state).toBe('off')
    await failed
  }
  // And one that has only been asked for.
  const asked = expect(power.switchOn()).rejects.toThrow('its power was cut')
  await power.cut()
  await asked
  expect(start).toHaveBeenCalledTimes(2)
})

test('a first start goes on by itself as soon as a machine runs, and can be cut and reset then', async () => {
  const { machine: pi, power } = await aPi()
  const qemus: ReturnType<typeof aQemu>[] = []
  const start = anEndlessStart({ pi, qemus })
  await power.wait(start)
  await power.switchOn(false)
  expect(qemus).toMatchObject([{ hasEnded: false }])
  // Where it is on already it is waited for all the same.
  const wasReset = expect(power.switchOn()).rejects.toThrow('Pi compute00 was not started: it was reset.')
  await power.reset(false)
  await wasReset
  expect(qemus).toMatchObject([{ hasEnded: true }, { hasEnded: false }])
  expect(power.state).toBe('on')
  await power.cut()
  expect(qemus).toMatchObject([{ hasEnded: true }, { hasEnded: true }])
  expect(power.state).toBe('off')
  await power.switchOn(false)
  expect(start).toHaveBeenCalledTimes(3)
})

test('a first start and a deployment end when the machine is lost, with what it was lost by', async () => {
  const lossDuring = async (come: (power: PiPower, place: Place, start: FirstStart) => Promise<void>) => {
    const { machine: pi, power, door } = await aPi()
    const qemus: ReturnType<typeof aQemu>[] = []
    const coming = expect(come(power, pi.place, anEndlessStart({ pi, qemus }))).rejects.toThrow(
      'Pi compute00 is lost: its kernel panicked',
    )
    await expect.poll(() => qemus).toHaveLength(1)
    Object.assign(qemus[0] ?? {}, { fate: () => 'its kernel panicked', hasEnded: true })
    qemus[0]?.emit('end', 'crashed')
    await coming
    expect(power.state).toBe('off')
    expect(await refusalAt(door)).toBeDefined()
  }
  await lossDuring(async (power, _, start) => {
    await power.wait(start)
    await power.switchOn()
  })
  await lossDuring((power, place, start) => power.begin(place, start))
})

test('a guest that reboots itself while its power is cut, or it is reset, is not booted once more by that', async () => {
  const bootsAfter = async (action: 'cut' | 'reset') => {
    const { machine: pi, power } = await aPi()
    const boot = vi.spyOn(pi, 'boot').mockImplementation(() => pi.adopt(aQemu()))
    vi.spyOn(pi, 'openConnection').mockResolvedValue()
    const [qemu, { promise: loggedIn, resolve }] = [aQemu(), Promise.withResolvers<void>()]
    await power.wait(async () => {
      await pi.adopt(qemu)
      // Somebody can log in by now: neither ends it.
      await loggedIn
    })
    await power.switchOn(false)
    const done = power.change(action)
    await turn()
    qemu.hasEnded = true
    qemu.emit('end', 'reboot')
    resolve()
    const told = await done
    await turn()
    return { boots: boot.mock.calls.length, power: [told, power.state] }
  }
  expect(await bootsAfter('cut')).toEqual({ boots: 0, power: ['off', 'off'] })
  expect(await bootsAfter('reset')).toEqual({ boots: 1, power: ['on', 'on'] })
})

test('a Pi that loses its power while it is deployed is not deployed', async () => {
  const { machine: pi, power } = await aPi()
  await power.vacate()
  const begun = power.begin(pi.place, anEndlessStart({ pi, qemus: [] }))
  const failed = expect(begun).rejects.toThrow('its power was cut')
  await expect.poll(() => power.state).toBe('on')
  await power.cut()
  await failed
  await expect(power.switchOn()).rejects.toThrow('nothing is deployed on it')
})

test('one with nothing on its card cannot be switched on, until something has begun on it', async () => {
  const { machine, power } = await aPi()
  let started = 0
  await power.wait(async () => void started++)
  writeFileSync(machine.card, 'a card')
  await power.vacate()
  expect(existsSync(machine.card)).toBe(false)
  await expect(power.switchOn()).rejects.toThrow(
    'Pi compute00 cannot be switched on: nothing is deployed on it.\n  Deploy an image first',
  )
  // What was to come when it is switched on went with the card.
  expect(started).toBe(0)
  expect(power.state).toBe('off')

  await expect(power.begin(machine.place, () => Promise.reject(new Error('no boot')))).rejects.toThrow(
    'no boot',
  )
  await expect(power.switchOn()).rejects.toThrow('nothing is deployed on it')

  const { promise, resolve } = Promise.withResolvers<void>()
  const begun = power.begin(machine.place, () => promise)
  await expect.poll(() => power.state).toBe('on')
  resolve()
  await begun
  // It boots now: what fails is that there is no QEMU here.
  await expect(power.switchOn()).rejects.toThrow(/card could not be written/)
})

const unstarted = 'Pi compute00 is off: it could not be started'

test('who comes to one that could not be started is told so', { timeout: 10_000 }, async () => {
  const { machine, power, door } = await aPi()
  // There is no QEMU here.
  await expect(power.switchOn()).rejects.toThrow()
  expect(await refusalAt(door)).toBe(unstarted)
  await expect(power.begin(machine.place, () => Promise.reject(new Error('no boot')))).rejects.toThrow()
  expect(await refusalAt(door)).toBe(unstarted)
  await machine.adopt(aQemu())
  await expect(power.reset()).rejects.toThrow()
  expect(await refusalAt(door)).toBe(unstarted)
})

test('a place that it is deployed to when it has ended is given up', async () => {
  const { power } = await aPi()
  await power.end()
  const given: string[] = []
  const place = Object.assign(aPlace(scratchDir()), { end: async () => void given.push('up') })
  await power.begin(place, () => Promise.reject(new Error('never')))
  expect(given).toEqual(['up'])
})
