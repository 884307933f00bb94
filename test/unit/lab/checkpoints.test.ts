import { expect, test } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import type { FrozenPi } from '../../../src/freeze/store.ts'
import { Checkpoints } from '../../../src/lab/checkpoints.ts'
import { Gate } from '../../../src/lab/gate.ts'
import type { LivePi } from '../../../src/lab/live-pi.ts'

/** A Pi of which only checkpoints are wanted; `work` is what one takes. */
function aPi({ frozen = true, work = async () => {}, on = true } = {}) {
  const [restored, removed]: [string[], string[]] = [[], []]
  const pi = {
    machine: {
      place: { remove: async (path: string) => void removed.push(path) },
      running(wanted: string) {
        if (!on) throw new RaspiError('boot', `${wanted}: Pi pi-1 is off.`)
      },
    },
    ...{ identity: { hostname: 'pi-1' }, source: { frozen }, signal: new AbortController().signal },
    checkpoint: async (id: string) => {
      await work()
      return { id, dir: `/raspi/pi/${id}` } as FrozenPi
    },
    restore: async ({ id }: FrozenPi) => void restored.push(id),
  }
  return { pi: pi as unknown as LivePi, restored, removed }
}

function checkpointsOf(...pis: LivePi[]) {
  const starts = new Gate(1)
  const lent = (number: number) => {
    const pi = pis[number - 1]
    if (pi) return pi
    throw new RaspiError('lab', `Pi ${number} has been given back.`)
  }
  const checkpoints = new Checkpoints({ starts, log: () => {}, lent })
  return { checkpoints, starts }
}

test('each checkpoint of a Pi is restored by its id, and named by number where it has no name', async () => {
  const { pi, restored } = aPi()
  const { checkpoints } = checkpointsOf(pi)
  const clean = await checkpoints.make(1, 'clean')
  const second = await checkpoints.make(1, undefined)
  expect([clean.name, second.name]).toEqual(['clean', '2'])
  for (const { id } of [clean, second, clean]) await checkpoints.restore(1, id)
  expect(restored).toEqual([clean.id, second.id, clean.id])
})

test('a Pi has the checkpoints of no other', async () => {
  const [one, other] = [aPi(), aPi()]
  const { checkpoints } = checkpointsOf(one.pi, other.pi)
  const { id } = await checkpoints.make(1, 'clean')
  await expect(checkpoints.restore(2, id)).rejects.toThrow(`Pi pi-1 has no checkpoint ${id}.`)
  expect(other.restored).toEqual([])
})

test('a Pi that has been given back has none any more', async () => {
  const { checkpoints } = checkpointsOf()
  await expect(checkpoints.make(1, undefined)).rejects.toThrow('Pi 1 has been given back.')
})

test('a Pi that is off can have none', async () => {
  const { checkpoints, starts } = checkpointsOf(aPi({ on: false }).pi)
  await expect(checkpoints.make(1, undefined)).rejects.toThrow('It can have no checkpoint: Pi pi-1 is off.')
  expect(starts.free).toBe(1)
})

test('a Pi that cannot be frozen can have none', async () => {
  const { checkpoints } = checkpointsOf(aPi({ frozen: false }).pi)
  await expect(checkpoints.make(1, undefined)).rejects.toThrow(
    'Pi pi-1 can have no checkpoint: its image cannot be frozen here.',
  )
})

test('one that fails is none, and in the way of no other', async () => {
  let fails = true
  const work = async () => {
    if (fails) throw new Error('it did not shut down')
  }
  const { checkpoints, starts } = checkpointsOf(aPi({ work }).pi)
  await expect(checkpoints.make(1, 'clean')).rejects.toThrow('it did not shut down')
  expect(starts.free).toBe(1)
  fails = false
  await expect(checkpoints.make(1, 'clean')).resolves.toMatchObject({ name: 'clean' })
})

test('two at once are refused', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { checkpoints } = checkpointsOf(aPi({ work: () => promise }).pi)
  const first = checkpoints.make(1, 'clean')
  await expect(checkpoints.make(1, 'other')).rejects.toThrow(
    'Pi pi-1 is at another checkpoint: await that one first.',
  )
  resolve()
  await expect(first).resolves.toMatchObject({ name: 'clean' })
})

test('those of a Pi whose card has gone are gone with their files, wherever these are, and no later one takes their place', async () => {
  const { pi, removed } = aPi()
  const { checkpoints } = checkpointsOf(pi)
  const { id } = await checkpoints.make(1, 'clean')
  await checkpoints.forget(pi)
  expect(removed).toEqual([`/raspi/pi/${id}`])
  await expect(checkpoints.restore(1, id)).rejects.toThrow(`Pi pi-1 has no checkpoint ${id}.`)
  const later = await checkpoints.make(1, undefined)
  expect(later).toMatchObject({ name: '1' })
  expect(later.id).not.toBe(id)
})
