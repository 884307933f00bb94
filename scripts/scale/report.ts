import type { Bench, Costs } from './figures.ts'
import type { MachineSize } from './machine.ts'
import { nextLimit, type Plan, type Site } from './plan.ts'
import type { Day } from './simulate.ts'

/** What the script was told and what it took from the bench, as Markdown. */
export function figuresTable(
  bench: Bench,
  costs: Costs,
  extra: number,
  { day, site, size }: { day: Day; site: Site; size: MachineSize },
): string {
  const { thaw, readySeconds, pi, frozen, card } = costs
  return [
    `Measured on ${bench.host}:`,
    '',
    '| | |',
    '| --- | ---: |',
    `| a thaw | ${fixed(thaw.work)} core-seconds, on at most ${fixed(thaw.cores)} cores |`,
    `| a ready Pi's first command | ${readySeconds.toFixed(2)} s |`,
    `| a test besides, from ten in a row | ${fixed(extra)} core-seconds |`,
    `| private memory of a Pi | ${megabytes(pi)} |`,
    `| a frozen Pi | ${megabytes(frozen)} |`,
    `| what a Pi has written | ${megabytes(card)} |`,
    '',
    'Assumed:',
    '',
    '| | |',
    '| --- | ---: |',
    `| a machine | ${site.cores} cores, ${Math.round(site.memory / 2 ** 30)} GiB: ${size.pis} Pis, ${size.ready} kept ready |`,
    `| a test's own work | ${day.work} s, give or take ${Math.round(day.spread * 100)} %, on ${day.cores} ${day.cores === 1 ? 'core' : 'cores'} |`,
    `| a suite | ${day.suite} tests; suites come at random over ${day.hours} h |`,
    `| in time | 19 of 20 suites within ${duration(site.target)} |`,
    `| a new machine fetches | ${megabytes(site.bundle)}, at ${megabytes(site.bandwidth)}/s from one server |`,
    `| different frozen Pis | ${site.sources} |`,
  ].join('\n')
}

/** A row for each number of tests a day, as Markdown. */
export function planTable(plans: readonly { tests: number; plan: Plan }[]): string {
  const rows = plans.map(({ tests, plan }) => {
    const { machines, outcome, median, slowest, used } = plan
    return [
      tests.toLocaleString('en'),
      machines,
      duration(median),
      duration(slowest),
      `${outcome.coreHours.toFixed(1)}`,
      `${outcome.peak}`,
      ...Object.values(used).map(percent),
      nextLimit(plan),
    ].join(' | ')
  })
  return [
    '| tests a day | machines | suite, median | 19 of 20 | core-hours | Pis at once | cores | memory | page cache | registry | next limit |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n')
}

const fixed = (value: number) => value.toFixed(1)
const percent = (part: number) => `${part < 0.0995 ? (part * 100).toFixed(1) : Math.round(part * 100)} %`
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`
const duration = (seconds: number) =>
  seconds < 99.5 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`
