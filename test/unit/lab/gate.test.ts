import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Gate } from '../../../src/lab/gate.ts'

test('a gate is idle when nobody is in it and nobody waits', async () => {
  const gate = new Gate(1)
  await gate.whenIdle()
  const leave = await gate.enter(1)
  const next = gate.enter(1)
  let idle = false
  const whenIdle = gate.whenIdle().then(() => {
    idle = true
  })
  leave()
  const leaveNext = await next
  await turn()
  expect(idle).toBe(false)
  leaveNext()
  await whenIdle
  expect(gate.free).toBe(1)
})

test('who is in a gate without a unit keeps nobody out, but the gate from being idle', async () => {
  const gate = new Gate(1)
  const [leaveJoined, leave] = [gate.join(), await gate.enter(1)]
  let idle = false
  const whenIdle = gate.whenIdle().then(() => {
    idle = true
  })
  leave()
  await turn()
  expect(idle).toBe(false)
  leaveJoined()
  leaveJoined()
  await whenIdle
  gate.join()
  await expect(gate.whenIdle(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})

test('who waits for a gate to be idle can give up', async () => {
  const gate = new Gate(2)
  const leave = await gate.enter(1)
  const stop = new AbortController()
  const waiting = gate.whenIdle(stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  leave()
})

test('who waits for more than there is room for any more is refused, and keeps nobody waiting behind', async () => {
  const gate = new Gate(4)
  const leave = await gate.enter(2)
  const [large, small] = [gate.enter(4), gate.enter(2)]
  gate.resize(2)
  await expect(large).rejects.toThrow('4 are waited for, and there is only room for 2 any more.')
  leave()
  expect(await small).toBeTypeOf('function')
})
