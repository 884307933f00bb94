// `node scripts/scale.ts [--bench FILE] [--tests 10,1000] [--json FILE] …`: how many machines so many tests a day take, and what
// they would run out of next. A simulation with measured figures: it starts no Pi, and says the same wherever it runs.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { costsOf, readBench } from './scale/figures.ts'
import { calibrate, type Site, sizeOf, smallestFleet } from './scale/plan.ts'
import { figuresTable, planTable } from './scale/report.ts'
import type { Day } from './scale/simulate.ts'

const numbers = {
  cores: ['4', 'cores of a machine'],
  memory: ['16', 'its memory, in GiB'],
  suite: ['50', 'tests of a suite'],
  hours: ['10', 'hours over which suites come'],
  work: ['30', 'what a test does with its Pi, in s'],
  spread: ['0.5', 'how far that differs: 0.5 for half'],
  'work-cores': ['1', 'cores that it keeps busy'],
  target: ['600', 'what 19 of 20 suites may take, in s'],
  bundle: ['220', 'what a new machine fetches, in MB'],
  bandwidth: ['125', 'what one server sends, in MB/s'],
  sources: ['1', 'different frozen Pis'],
} as const

const { values } = parseArgs({
  options: {
    bench: { type: 'string', default: fileURLToPath(new URL('../docs/bench.json', import.meta.url)) },
    tests: { type: 'string', default: '10,1000,100000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, [value]]) => [name, { type: 'string' as const, default: value }]),
    ),
  },
})
if (values.help) {
  console.log('node scripts/scale.ts [--bench FILE] [--tests N,N,…] [--seed WORD] [--json FILE]')
  for (const [name, [value, what]] of Object.entries(numbers))
    console.log(`  --${name.padEnd(12)} ${what} (${value})`)
  process.exit(0)
}

const of = (name: keyof typeof numbers) => number(String((values as Record<string, unknown>)[name]), name)
const wanted = values.tests.split(',').map((text) => number(text, 'tests'))

const bench = readBench(values.bench)
const costs = costsOf(bench)
const extra = calibrate(bench, costs)
const site: Site = {
  ...{ cores: of('cores'), memory: of('memory') * 2 ** 30, sources: of('sources'), target: of('target') },
  ...{ bundle: of('bundle') * 1e6, bandwidth: of('bandwidth') * 1e6 },
}
const day: Day = {
  ...{ tests: 0, suite: of('suite'), hours: of('hours'), seed: values.seed },
  ...{ work: of('work'), spread: of('spread'), cores: of('work-cores') },
}
const size = sizeOf(site)
const plans = wanted.map((tests) => {
  const suite = Math.min(day.suite, tests)
  return {
    tests,
    plan: smallestFleet({ ...day, tests, suite, work: day.work + extra / day.cores }, site, costs),
  }
})
console.log(`${figuresTable(bench, costs, extra, { day, site, size })}\n\n${planTable(plans)}`)
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ host: bench.host, costs, extra, plans }, undefined, 2)}\n`)

function number(text: string, name: string): number {
  const value = Number(text)
  if (value > 0) return value
  console.error(`--${name} takes numbers above 0, and not "${text}".`)
  process.exit(2)
}
