import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { AfterHandOver } from '../../../src/lab/after-hand-over.ts'
import { Gate } from '../../../src/lab/gate.ts'

const never = () => new Promise<never>(() => {})
const nothing = () => Promise.resolve()
const free = async () => () => {}

test('the work is done once others are calm, and not in the first moments', async () => {
  const [soon, later, after] = [vi.fn(nothing), vi.fn(nothing), new AfterHandOver()]
  const { promise: calm, resolve } = Promise.withResolvers<void>()
  after.begin({ soon, later, calm: { wait: () => calm, turn: free } })
  expect(soon).not.toHaveBeenCalled()
  await expect.poll(() => soon).toHaveBeenCalledOnce()
  await sleep(100)
  expect(later).not.toHaveBeenCalled()
  resolve()
  await expect.poll(() => later).toHaveBeenCalledOnce()
})

test('who cannot wait has it done at once, and waits until it is', async () => {
  const after = new AfterHandOver()
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const [soon, later] = [vi.fn(nothing), vi.fn(() => done)]
  after.begin({ soon, later, calm: { wait: never, turn: free } })
  let finished = false
  const finish = after.finish().then(() => {
    finished = true
  })
  await expect.poll(() => later).toHaveBeenCalledOnce()
  await turn()
  expect(finished).toBe(false)
  resolve()
  await finish
  await after.finish()
  expect(later).toHaveBeenCalledOnce()
  expect(soon).not.toHaveBeenCalled()
})

test('where the first of it fails the rest is done all the same', async () => {
  const [later, after] = [vi.fn(nothing), new AfterHandOver()]
  after.begin({ soon: () => Promise.reject(new Error('no shell')), later, calm: { wait: never, turn: free } })
  await expect.poll(() => later).toHaveBeenCalledOnce()
})

test('what is dropped, or begun anew, is not done', async () => {
  const [first, second, after] = [vi.fn(nothing), vi.fn(nothing), new AfterHandOver()]
  after.begin({ soon: nothing, later: first })
  after.begin({ soon: nothing, later: second })
  await after.finish()
  expect(second).toHaveBeenCalledOnce()
  after.begin({ soon: nothing, later: first })
  after.drop()
  await after.finish()
  expect(first).not.toHaveBeenCalled()
})

test('one after the other has its turn', async () => {
  const turns = new Gate(1)
  const calm = { wait: nothing, turn: (signal: AbortSignal) => turns.enter(1, signal) }
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const [first, second] = [vi.fn(() => done), vi.fn(nothing)]
  new AfterHandOver().begin({ soon: nothing, later: first, calm })
  new AfterHandOver().begin({ soon: nothing, later: second, calm })
  await expect.poll(() => first).toHaveBeenCalledOnce()
  await sleep(200)
  expect(second).not.toHaveBeenCalled()
  resolve()
  await expect.poll(() => second).toHaveBeenCalledOnce()
})

test('a Pi that ends in its turn leaves it to the next', async () => {
  const turns = new Gate(1)
  const calm = { wait: nothing, turn: (signal: AbortSignal) => turns.enter(1, signal) }
  const [first, second] = [vi.fn(never), vi.fn(nothing)]
  const ended = new AfterHandOver()
  ended.begin({ soon: nothing, later: first, calm })
  new AfterHandOver().begin({ soon: nothing, later: second, calm })
  await expect.poll(() => first).toHaveBeenCalledOnce()
  ended.drop()
  await expect.poll(() => second).toHaveBeenCalledOnce()
})
