import { type Random, seededRandom } from '../../src/network/random.ts'
import type { Costs } from './figures.ts'
import { Machine, type MachineSize } from './machine.ts'

/** What a day of tests is like. */
export interface Day {
  /** How many tests it has; they come in suites of so many, at random over so many hours. */
  tests: number
  suite: number
  hours: number
  /** What a test does with its Pi, in seconds on a Pi that nothing hinders, and how far that differs: 0.5 for half. */
  work: number
  spread: number
  /** How many cores a test keeps busy meanwhile. */
  cores: number
  seed: string | number
}

/** What came of a day. */
export interface Outcome {
  /** How long suites took from their arrival to the end of their last test, in s, the shortest first. */
  suites: number[]
  /** The most tests that waited for a machine at once. */
  queue: number
  /** The part of all cores that was busy while there was any test to be done. */
  busy: number
  /** What all of it took of processors, in core-hours. */
  coreHours: number
  /** The most Pis that lived on one machine at once. */
  peak: number
}

/** Lets `machines` of one size serve a day's suites: tests go, in the order in which they came, to whoever has most room. */
export function simulate(day: Day, machines: number, size: MachineSize, costs: Costs): Outcome {
  const fleet = Array.from({ length: machines }, () => new Machine(size, costs))
  const random = seededRandom('scale', day.seed)
  const arrivals = arrivalsOf(day, random)
  const queue: { suite: Suite; work: number }[] = []
  const suites: Suite[] = []
  // The first in the queue: to take it out would move all the others.
  let first = 0
  let left = day.tests
  // How many tests have come and are not done, and for how long there were any.
  let open = 0
  let atWork = 0
  let longest = 0
  let now = 0
  for (const machine of fleet) machine.refill()
  for (let arrival = 0; arrival < arrivals.length || left > 0; ) {
    const at = arrivals[arrival]?.at ?? Number.POSITIVE_INFINITY
    const next = nextOf(fleet)
    const before = now
    now = Math.min(at, next.at)
    if (now === Number.POSITIVE_INFINITY)
      throw new Error(`No machine ever takes the ${left} tests that are left.`)
    if (open > 0) atWork += now - before
    if (at <= next.at) {
      const suite: Suite = { at, took: 0 }
      for (let test = 0; test < (arrivals[arrival]?.tests ?? 0); test++)
        queue.push({ suite, work: day.work * (1 + day.spread * (2 * random() - 1)) })
      open += arrivals[arrival]?.tests ?? 0
      suites.push(suite)
      arrival++
    } else {
      next.machine?.advance(now)
    }
    for (let test = queue[first]; test; test = queue[first]) {
      const taker = roomiest(fleet)
      if (!taker) break
      first++
      taker.advance(now)
      const { suite, work } = test
      const ended = (end: number) => {
        left--
        open--
        suite.took = end - suite.at
      }
      taker.take({ work: work * day.cores, cores: day.cores, ended })
    }
    longest = Math.max(longest, queue.length - first)
  }
  const busy = fleet.reduce((sum, { processor }) => sum + processor.busy, 0)
  return {
    suites: suites.map(({ took }) => took).sort((a, b) => a - b),
    queue: longest,
    busy: Math.min(1, busy / (atWork * machines * size.cores)),
    coreHours: busy / 3600,
    peak: Math.max(...fleet.map(({ peak }) => peak)),
  }
}

interface Suite {
  at: number
  took: number
}

function arrivalsOf({ tests, suite, hours }: Day, random: Random): { at: number; tests: number }[] {
  const count = Math.ceil(tests / suite)
  return Array.from({ length: count }, (_, index) => ({
    at: random() * hours * 3600,
    tests: Math.min(suite, tests - index * suite),
  })).sort((a, b) => a.at - b.at)
}

function nextOf(fleet: readonly Machine[]): { at: number; machine: Machine | undefined } {
  let found: { at: number; machine: Machine | undefined } = {
    at: Number.POSITIVE_INFINITY,
    machine: undefined,
  }
  for (const machine of fleet) {
    const at = machine.next()
    if (at < found.at) found = { at, machine }
  }
  return found
}

/** The machine with the most room; of several the one with most Pis ready. Nothing where none has any. */
function roomiest(fleet: readonly Machine[]): Machine | undefined {
  let best: Machine | undefined
  for (const machine of fleet) {
    if (machine.room < 1) continue
    const better = best ? machine.room - best.room || machine.ready - best.ready : 1
    if (better > 0) best = machine
  }
  return best
}

/** The value below which so large a part of sorted `values` lies: `quantile(values, 0.95)`. */
export function quantile(values: readonly number[], part: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0
}
