import { expect, test } from 'vitest'
import { type Bench, costsOf } from '../../../scripts/scale/figures.ts'
import { calibrate, nextLimit, type Site, sizeOf, smallestFleet } from '../../../scripts/scale/plan.ts'
import { figuresTable, planTable } from '../../../scripts/scale/report.ts'
import { type Day, quantile, simulate } from '../../../scripts/scale/simulate.ts'

const bench: Bench = {
  ...{
    host: '2 cores (some), 24 GiB',
    readyLeaseMs: 500,
    parallel: { 1: 4_000, 4: 16_000 },
    suiteFreshMs: 80_000,
  },
  ...{ privateMemoryBytes: 340e6, cardBytes: 3e6, frozenBytes: 245e6 },
}
const costs = costsOf(bench)
const day: Day = {
  ...{ tests: 100, suite: 20, hours: 1, work: 10, spread: 0.5, cores: 1, seed: 1 },
}
const site: Site = {
  ...{ cores: 4, memory: 16 * 2 ** 30, bundle: 1e9, bandwidth: 125e6, sources: 1, target: 120 },
}
const size = sizeOf(site)

test('a thaw costs what the bench says of one, and of four at once', () => {
  expect(costs.thaw).toEqual({ work: 8, cores: 2 })
  // Four that hinder each other.
  const slow = costsOf({ ...bench, parallel: { 1: 4_000, 4: 20_000 } })
  expect(slow.thaw).toEqual({ work: 10, cores: 2 })
})

test('one test on one machine takes a ready Pi, and its own time', () => {
  const one = { ...day, tests: 1, suite: 1, spread: 0 }
  const { suites } = simulate(one, 1, { ...size, ready: 0 }, costs)
  // A thaw of 8 core-seconds on 2 cores, then 10 s.
  expect(suites[0]).toBeCloseTo(14)
})

test('all tests are done once, by as much work as they are', () => {
  const { suites, coreHours } = simulate(day, 2, { ...size, ready: 0 }, costs)
  expect(suites).toHaveLength(5)
  // 100 thaws of 8, and 100 tests of 10 give or take what chance wills.
  const perTest = (coreHours * 3600) / day.tests
  expect(perTest).toBeGreaterThan(17)
  expect(perTest).toBeLessThan(19)
})

test('the same seed is the same day, another seed another', () => {
  const run = (seed: number) => simulate({ ...day, seed }, 2, size, costs).suites
  expect(run(1)).toEqual(run(1))
  expect(run(2)).not.toEqual(run(1))
})

test('no machine has more Pis than it bears, and more machines are never slower', () => {
  const slowest = [1, 2, 4, 8].map((machines) => {
    const { suites, peak } = simulate(day, machines, size, costs)
    expect(peak).toBeLessThanOrEqual(size.pis)
    return quantile(suites, 0.95)
  })
  expect(slowest).toEqual(slowest.toSorted((a, b) => b - a))
})

test('the fleet is the smallest that is in time', () => {
  const hurried = { ...site, target: 40 }
  const { machines, slowest } = smallestFleet(day, hurried, costs)
  expect(slowest).toBeLessThanOrEqual(hurried.target)
  expect(machines).toBeGreaterThan(1)
  expect(quantile(simulate(day, machines - 1, size, costs).suites, 0.95)).toBeGreaterThan(hurried.target)
})

test('tests that no machine takes are told of', () => {
  expect(() => simulate(day, 0, size, costs)).toThrow('No machine ever takes the 100 tests')
})

test('what is used most is the next limit', () => {
  const plan = smallestFleet(day, { ...site, bandwidth: 1e3 }, costs)
  expect(nextLimit(plan)).toBe('registry')
  expect(nextLimit(smallestFleet(day, { ...site, sources: 500 }, costs))).toBe('page cache')
})

test('what a test takes besides makes the simulation of the suite as long as it was', () => {
  const extra = calibrate(bench, costs)
  const suite = { ...day, tests: 10, suite: 10, hours: 0, spread: 0, work: 3 * costs.readySeconds + extra }
  const { suites } = simulate(suite, 1, { ...sizeOf({ cores: 2, memory: 16 * 2 ** 30 }), tests: 1 }, costs)
  expect(suites[0]).toBeCloseTo(80, 0)
  expect(calibrate({ ...bench, suiteFreshMs: 1 }, costs)).toBe(0)
})

test('the report names the figures that it took', () => {
  const plan = smallestFleet(day, site, costs)
  const text = `${figuresTable(bench, costs, 1, { day, site, size })}\n${planTable([{ tests: 1_000, plan }])}`
  expect(text).toContain('8.0 core-seconds, on at most 2.0 cores')
  expect(text).toContain('| 1,000 | ')
})
