import { expect, test } from 'vitest'
import { parseAge, parseCount, parseDuration, parseLifetime, roughly } from '../../../src/cli/duration.ts'

test('times are read', () => {
  expect(['90s', '30m', '8h', '2d', '1.5h'].map(parseDuration)).toEqual([
    90_000, 1_800_000, 28_800_000, 172_800_000, 5_400_000,
  ])
  expect(['0', '1.5', '12h'].map(parseAge)).toEqual([0, 129_600_000, 43_200_000])
  expect(() => parseAge('-1')).toThrow(/Write it as/)
  for (const wrong of ['', '8', 'h', '-1h', '8 h', '8w'])
    expect(() => parseDuration(wrong)).toThrow(/Write it as/)
  for (const wrong of ['0s', '25d']) expect(() => parseLifetime(wrong)).toThrow(/at most 24d/)
})

test('numbers are read', () => {
  expect(parseCount(1, 64)('64')).toBe(64)
  for (const wrong of ['0', '65', '1.5', '', 'x', '0x10'])
    expect(() => parseCount(1, 64)(wrong)).toThrow(/from 1 to 64/)
})

test.for([
  [-5, '0 s'],
  [89_000, '89 s'],
  [150_000, '3 min'],
  [28_800_000, '8 h'],
  [28_799_000, '8 h'],
  [9_000_000, '2 h 30 min'],
  [30 * 86_400_000, '30 d'],
] as const)('%d ms is roughly %s', ([ms, text]) => {
  expect(roughly(ms)).toBe(text)
})
