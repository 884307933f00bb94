import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { PiSource } from '../../../src/engine/engine.ts'
import { RaspiError } from '../../../src/errors.ts'
import type { LivePi } from '../../../src/lab/live-pi.ts'
import { ReadyPool } from '../../../src/lab/ready-pool.ts'
import { unhandledRejections } from '../../support/unhandled.ts'

const source = (name: string) => ({ image: { name }, frozen: {} }) as unknown as PiSource
const [bookworm, trixie] = [source('bookworm'), source('trixie')]
const never = new AbortController().signal

interface Start {
  source: PiSource
  pi: LivePi
  signal: AbortSignal
  hurry: AbortSignal
  succeed(): Promise<unknown>
  fail(error: Error): Promise<unknown>
  lose(): Promise<unknown>
}

/** A pool whose Pis start when the test says so. */
function pool(size: number, room = () => 10) {
  const starts: Start[] = []
  const ended: LivePi[] = []
  const ready = new ReadyPool(size, {
    room,
    end: async (pi) => void ended.push(pi),
    start(of, signal, hurry) {
      const { promise, resolve, reject } = Promise.withResolvers<LivePi>()
      const lost = Promise.withResolvers<RaspiError>()
      const pi = {
        identity: { hostname: `pi-${starts.length + 1}` },
        machine: {
          whenLost: (listener: (error: RaspiError) => void) => void lost.promise.then(listener),
        },
      } as LivePi
      signal.addEventListener('abort', () => reject(signal.reason))
      starts.push({
        ...{ source: of, pi, signal, hurry },
        succeed: () => Promise.all([resolve(pi), turn()]),
        fail: (error) => Promise.all([reject(error), turn()]),
        lose: () => Promise.all([lost.resolve(new RaspiError('boot', 'gone')), turn()]),
      })
      return promise
    },
  })
  return { ready, starts, ended }
}

test('it is filled one Pi at a time, up to its size', async () => {
  const { ready, starts } = pool(2)
  ready.refill(bookworm)
  ready.refill(bookworm)
  expect(starts).toHaveLength(1)
  await starts[0]?.succeed()
  expect(starts).toHaveLength(2)
  await starts[1]?.succeed()
  expect(starts).toHaveLength(2)
  expect(ready.living).toBe(2)
})

test('a ready Pi is given once, and only to who wants one of its source', async () => {
  const { ready, starts } = pool(1)
  ready.refill(bookworm)
  await starts[0]?.succeed()
  expect(ready.take(trixie, never)).toBeUndefined()
  expect(await ready.take(bookworm, never)).toBe(starts[0]?.pi)
  expect(ready.take(bookworm, never)).toBeUndefined()
  expect(ready.living).toBe(0)
})

test('a Pi that is just starting is better than another start; the taker can stop it', async () => {
  const { ready, starts, ended } = pool(1)
  ready.refill(bookworm)
  const holder = new AbortController()
  const taken = ready.take(bookworm, holder.signal)
  holder.abort(new Error('the test is over'))
  await expect(taken).rejects.toThrow('the test is over')
  expect(starts[0]?.signal.aborted).toBe(true)
  expect(ended).toEqual([])
})

test('a start may fail before its taker looks at it', async () => {
  const { ready, starts } = pool(1)
  ready.refill(bookworm)
  const rejected = unhandledRejections()
  const taken = ready.take(bookworm, never)
  await starts[0]?.fail(new Error('no network'))
  await turn()
  expect(rejected).toEqual([])
  await expect(taken).rejects.toThrow('no network')
})

test('a Pi that is just starting is told to hurry as soon as it is taken, and one that is ready is not', async () => {
  const { ready, starts } = pool(2)
  ready.refill(bookworm)
  await starts[0]?.succeed()
  void ready.take(bookworm, never)
  expect(starts.map(({ hurry }) => hurry.aborted)).toEqual([false, false])
  void ready.take(bookworm, never)
  expect(starts.map(({ hurry }) => hurry.aborted)).toEqual([false, true])
})

test('nothing is started where there is no room, for what boots cold, or in a pool of size 0', () => {
  const { ready, starts } = pool(1, () => 0)
  ready.refill(bookworm)
  const cold = pool(1)
  cold.ready.refill({ ...bookworm, frozen: undefined })
  const none = pool(0)
  none.ready.refill(bookworm)
  expect([starts, cold.starts, none.starts]).toEqual([[], [], []])
})

test('room is made by the Pis that are not wanted first', async () => {
  const { ready, starts, ended } = pool(1)
  for (const [index, of] of [bookworm, trixie].entries()) {
    ready.refill(of)
    await starts[index]?.succeed()
  }
  await ready.shrink(1, bookworm)
  expect(ended).toEqual([starts[1]?.pi])
  expect(await ready.take(bookworm, never)).toBe(starts[0]?.pi)
})

test('a source of which a refill failed is not tried again', async () => {
  const { ready, starts } = pool(1)
  ready.refill(bookworm)
  await starts[0]?.fail(new Error('no network'))
  ready.refill(bookworm)
  expect(starts).toHaveLength(1)
  ready.refill(trixie)
  expect(starts).toHaveLength(2)
})

test('a Pi that is lost while it waits is ended, and not given to anybody', async () => {
  const { ready, starts, ended } = pool(1)
  ready.refill(bookworm)
  await starts[0]?.succeed()
  await starts[0]?.lose()
  expect(ready.take(bookworm, never)).toBeUndefined()
  expect(ended).toEqual([starts[0]?.pi])
})

test('once drained it is empty for good, and what was starting is stopped', async () => {
  const { ready, starts, ended } = pool(1)
  ready.refill(bookworm)
  await starts[0]?.succeed()
  ready.refill(trixie)
  await ready.drain()
  expect(ended).toEqual([starts[0]?.pi])
  expect(starts[1]?.signal.aborted).toBe(true)
  ready.refill(bookworm)
  expect(starts).toHaveLength(2)
})
