import { capacityOf, readyOf, startsOf } from '../../src/engine/capacity.ts'
import { type Bench, type Costs, coresOf } from './figures.ts'
import type { MachineSize } from './machine.ts'
import { type Day, type Outcome, quantile, simulate } from './simulate.ts'

/** What machines the fleet is of, and what is around it. */
export interface Site {
  /** Of one machine. */
  cores: number
  memory: number
  /** What a machine that has nothing fetches before its first Pi, in bytes: image and frozen Pis. */
  bundle: number
  /** What whoever serves that sends, in bytes a second. */
  bandwidth: number
  /** How many different frozen Pis the tests start from. */
  sources: number
  /** How long the slowest of twenty suites may take, in s. */
  target: number
}

/** What a fleet costs, and how far each thing is used that it may run out of: 1 for wholly. */
export interface Plan {
  machines: number
  outcome: Outcome
  /** Of suites, in s. */
  median: number
  slowest: number
  used: { cores: number; memory: number; 'page cache': number; registry: number }
}

/** A machine of the site as a lab would use it with its defaults. */
export function sizeOf({ cores, memory }: Pick<Site, 'cores' | 'memory'>): MachineSize {
  const { pis } = capacityOf([{ free: memory, cores }])
  return { cores, pis, tests: pis, ready: readyOf(cores), starts: startsOf(cores) }
}

/** The smallest fleet whose slowest suite of twenty is in time; the largest that was tried where none is. */
export function smallestFleet(day: Day, site: Site, costs: Costs, most = 4_096): Plan {
  const size = sizeOf(site)
  const tried = new Map<number, Outcome>()
  const outcome = (machines: number) => {
    const known = tried.get(machines) ?? simulate(day, machines, size, costs)
    tried.set(machines, known)
    return known
  }
  const isInTime = (machines: number) => quantile(outcome(machines).suites, 0.95) <= site.target
  // Fewer cannot do the day's work until the last suite has to be done.
  const work = day.tests * (day.work * (1 - day.spread) * day.cores)
  const least = Math.max(1, Math.ceil(work / ((day.hours * 3600 + site.target) * site.cores)))
  let tooFew = least - 1
  let enough = least
  while (!isInTime(enough) && enough < most) {
    tooFew = enough
    enough *= 2
  }
  while (enough - tooFew > 1) {
    const middle = Math.floor((enough + tooFew) / 2)
    if (isInTime(middle)) enough = middle
    else tooFew = middle
  }
  return planOf(enough, outcome(enough), day, site, costs)
}

function planOf(machines: number, outcome: Outcome, day: Day, site: Site, costs: Costs): Plan {
  const pis = outcome.peak * (costs.pi + costs.card)
  // With machines that are new for each suite, as CIs have them, each of them fetches all of it.
  const fetched = Math.ceil(day.tests / day.suite) * Math.min(machines, day.suite) * site.bundle
  return {
    ...{ machines, outcome },
    median: quantile(outcome.suites, 0.5),
    slowest: quantile(outcome.suites, 0.95),
    used: {
      cores: outcome.busy,
      memory: pis / site.memory,
      'page cache': (costs.frozen * site.sources) / Math.max(1, site.memory - pis),
      registry: fetched / (site.bandwidth * day.hours * 3600),
    },
  }
}

/** What it runs out of first. */
export function nextLimit({ used }: Plan): keyof Plan['used'] {
  const [first] = Object.entries(used).sort(([, a], [, b]) => b - a)
  return (first?.[0] ?? 'cores') as keyof Plan['used']
}

/** How many tests the bench's suite had, and what they did: commands to a Pi, each about as long as a ready Pi's first. */
const benchSuite = { tests: 10, commands: 3 }

/**
 * What a test takes besides its Pi's thaw and its own work, in core-seconds: as much as makes the simulation of the bench's
 * suite of ten tests, one after the other, take as long as that did. Nothing where it was not measured.
 */
export function calibrate(bench: Bench, costs: Costs): number {
  const measured = (bench.suiteFreshMs ?? 0) / 1000
  const cores = coresOf(bench)
  const size = { ...sizeOf({ cores, memory: 16 * 2 ** 30 }), tests: 1 }
  const takes = (extra: number) => {
    const work = benchSuite.commands * costs.readySeconds + extra
    const day = {
      ...{ tests: benchSuite.tests, suite: benchSuite.tests, hours: 0, spread: 0 },
      work,
      cores: 1,
      seed: 0,
    }
    return simulate(day, 1, size, costs).suites[0] ?? 0
  }
  let [least, most] = [0, measured]
  if (takes(0) >= measured) return 0
  while (most - least > 0.01) {
    const middle = (least + most) / 2
    if (takes(middle) < measured) least = middle
    else most = middle
  }
  return least
}
