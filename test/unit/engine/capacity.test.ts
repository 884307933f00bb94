import { expect, test } from 'vitest'
import { capacityOf, readyOf, startsOf } from '../../../src/engine/capacity.ts'

const gibibyte = 1024 ** 3

test('memory bounds the Pis, with room left for one more, and so do the cores', () => {
  expect(capacityOf([{ free: 4 * gibibyte, cores: 8 }]).pis).toBe(4)
  expect(capacityOf([{ free: 64 * gibibyte, cores: 2 }]).pis).toBe(4)
})

test('one Pi is always tried, and the word of the user counts', () => {
  expect(capacityOf([{ free: 0, cores: 1 }]).pis).toBe(1)
  expect(capacityOf([{ free: 0, cores: 1 }], 7).pis).toBe(7)
})

test('too many Pis are told with the sum', () => {
  expect(capacityOf([{ free: 4 * gibibyte, cores: 8 }]).explain(12)).toBe(
    '12 Pis at 700 MiB of memory each take 8400 MiB; 4096 MiB were free, enough for 4 beside Ansible. 8 cores bear 16 Pis.',
  )
  expect(capacityOf([{ free: 0, cores: 1 }], 2).explain(3)).toBe(
    "The plugin's maxPis is 2. 3 Pis at 700 MiB of memory each take 2100 MiB.",
  )
})

test('several hosts have room for what each has room for by itself', () => {
  const hosts = [
    { free: 32 * gibibyte, cores: 4 },
    { free: 4 * gibibyte, cores: 4 },
  ]
  expect(capacityOf(hosts).pis).toBe(12)
  expect(capacityOf(hosts).explain(13)).toBe(
    '13 Pis at 700 MiB of memory each take 9100 MiB; the Docker engines have memory and cores for 8 and 4.',
  )
  expect(capacityOf(hosts, 20).pis).toBe(20)
})

test('half the cores start Pis at once, all of two, and half keep them ready', () => {
  expect([1, 2, 3, 4, 8].map(startsOf)).toEqual([1, 2, 2, 2, 4])
  expect([1, 2, 3, 4, 8].map(readyOf)).toEqual([1, 1, 1, 2, 4])
})
