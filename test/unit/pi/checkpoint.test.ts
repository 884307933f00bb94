import { expect, test } from 'vitest'
import type { LentPi } from '../../../src/lab/protocol.ts'
import { Pi, type PiControl } from '../../../src/pi/pi.ts'

const calls: unknown[] = []
const control: PiControl = {
  gpio: async () => [],
  power: async () => 'on',
  fault: async () => {},
  provision: () => Promise.reject(new Error('not asked')),
  pause: async () => {},
  async checkpoint(pi, name) {
    calls.push(['checkpoint', pi, name])
    return { id: 'k1', name: name ?? '1', durationMs: 5 }
  },
  async restore(pi, checkpoint) {
    calls.push(['restore', pi, checkpoint])
  },
}

const aPi = (number: number, name: string, signal = new AbortController().signal) =>
  new Pi({ number, name } as LentPi, signal, control)

test('a checkpoint is made and restored by the lab', async () => {
  const pi = aPi(3, 'web')
  const clean = await pi.checkpoint('clean')
  expect(clean).toMatchObject({ name: 'clean', pi: 'web', durationMs: 5 })
  await pi.restore(clean)
  expect(calls).toEqual([
    ['checkpoint', 3, 'clean'],
    ['restore', 3, 'k1'],
  ])
})

test("another Pi's checkpoint is refused, also where that has the same name", async () => {
  const clean = await aPi(3, 'web').checkpoint('clean')
  calls.length = 0
  await expect(aPi(4, 'web').restore(clean)).rejects.toThrow(
    /^web cannot be restored to checkpoint clean of web: that was another Pi\.\n.*raspiTest\(\{ prepare \}\)/,
  )
  expect(calls).toEqual([])
})

test('a Pi that is lost says so', async () => {
  const pi = aPi(5, 'web', AbortSignal.abort(new Error('Pi pi-5 is lost')))
  await expect(pi.checkpoint()).rejects.toThrow('Pi pi-5 is lost')
})
