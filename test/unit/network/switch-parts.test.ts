import { expect, test } from 'vitest'
import { preciseNow } from '../../../src/network/clock.ts'
import { ageingMs, MacTable, mostPerPort } from '../../../src/network/mac-table.ts'
import { seededRandom } from '../../../src/network/random.ts'
import { Recent } from '../../../src/network/recent.ts'
import { StormGuard } from '../../../src/network/storm.ts'

test('an address is forgotten when it has not been seen for 300 s', () => {
  const table = new MacTable<string>()
  table.learn(1, 'a', 0)
  expect(table.find(1, ageingMs)).toBe('a')
  table.learn(1, 'a', 200_000)
  expect(table.find(1, 500_000)).toBe('a')
  expect(table.find(1, 500_001)).toBeUndefined()
  expect(table.size).toBe(0)
})

test('an address moves, and goes with its port', () => {
  const table = new MacTable<string>()
  table.learn(1, 'a', 0)
  table.learn(1, 'b', 1)
  table.learn(2, 'b', 1)
  table.forget('a')
  expect(table.find(1, 2)).toBe('b')
  table.forget('b')
  expect([table.find(1, 2), table.size]).toEqual([undefined, 0])
})

test('a port that makes up addresses fills its own part of the table only, and has room again when they are old', () => {
  const table = new MacTable<string>()
  table.learn(7, 'b', 0)
  for (let mac = 1_000; mac < 100_000; mac++) table.learn(mac, 'a', 1)
  expect(table.size).toBe(mostPerPort + 1)
  table.learn(8, 'b', 1)
  expect([table.find(7, 1), table.find(8, 1)]).toEqual(['b', 'b'])
  // What it takes from another is at least not looked for there any more.
  table.learn(8, 'a', 2)
  expect(table.find(8, 2)).toBeUndefined()
  table.learn(9, 'a', ageingMs + 20_000)
  expect(table.find(9, ageingMs + 20_000)).toBe('a')
})

test('floods are admitted up to the burst, and then as many as there is time', () => {
  const guard = new StormGuard({ perSecond: 100, burst: 10 })
  const admitted = (now: number, tries: number) =>
    Array.from({ length: tries }, () => guard.admits(now)).filter(Boolean).length
  expect(admitted(5_000, 50)).toBe(10)
  expect(admitted(5_050, 50)).toBe(5)
  expect(admitted(5_055, 50)).toBe(0)
  expect(admitted(5_060, 50)).toBe(1)
  expect(admitted(60_000, 50)).toBe(10)
})

test('random numbers are evenly spread, the same for the same words, and others for others', () => {
  const take = (...words: string[]) => {
    const random = seededRandom(...words)
    return Array.from({ length: 10_000 }, random)
  }
  const numbers = take('a', 'b')
  expect(take('a', 'b')).toEqual(numbers)
  expect(take('ab')).not.toEqual(numbers)
  const tenths = Array<number>(10).fill(0)
  for (const number of numbers) tenths[Math.floor(number * 10)] = (tenths[Math.floor(number * 10)] ?? 0) + 1
  // Five standard deviations of 30.
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  expect(tenths).toHaveLength(10)
})

test('what is remembered is bounded by its bytes, and it is known since when', () => {
  const recent = new Recent(1_000)
  for (let at = 1; at <= 10; at++) recent.add({ at, from: 'a', to: [], run: Buffer.alloc(100) })
  expect(recent.forgottenUntil).toBeUndefined()
  for (let at = 11; at <= 5_000; at++) recent.add({ at, from: 'a', to: [], run: Buffer.alloc(100) })
  expect(recent.all().map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, index) => 4_991 + index))
  expect(recent.forgottenUntil).toBe(4_990)
})

test('the precise time is that of Date.now(), and never goes back while that does not', () => {
  let last = 0
  for (let turn = 0; turn < 20_000; turn++) {
    const before = Date.now()
    const now = preciseNow()
    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThan(Date.now() + 1)
    expect(now).toBeGreaterThanOrEqual(last)
    last = now
  }
})
