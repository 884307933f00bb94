// `npm run bench [-- --json FILE] [-- --svg FILE] [-- --only NAME] [-- --rounds N]`: what a fresh Pi costs, and what it
// would cost otherwise, side by side in one run. Times of a shared machine mean little, ratios of one run do.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chart } from './bench/chart.ts'
import { measureFootprint } from './bench/footprint.ts'
import { hostLine } from './bench/host.ts'
import { measureLoop } from './bench/loop.ts'
import { measureParallel } from './bench/parallel.ts'
import { measurePlaybook } from './bench/playbook.ts'
import { figuresOf, type Results, table } from './bench/results.ts'
import { measureSingle } from './bench/single.ts'
import { measureSuites } from './bench/suites.ts'
import { measureSwitch } from './bench/switch.ts'

const parts = {
  single: measureSingle,
  parallel: measureParallel,
  footprint: measureFootprint,
  suite: measureSuites,
  switch: measureSwitch,
  playbook: measurePlaybook,
  loop: measureLoop,
}

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    svg: { type: 'string', default: '.vitest/bench.svg' },
    only: { type: 'string', multiple: true, default: Object.keys(parts) },
    rounds: { type: 'string', default: '3' },
  },
})
const rounds = Number(values.rounds)
const unknown = values.only.filter((name) => !(name in parts))
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(
    unknown.length > 0
      ? `There is no part ${unknown.join(', ')}: --only takes ${Object.keys(parts).join(', ')}.`
      : '--rounds takes a number from 1 on.',
  )
  process.exit(2)
}

const results: Results = { host: hostLine(), samples: {}, spans: {} }
const say = (line: string) => console.log(`[bench] ${line}`)
say(results.host)
for (const name of values.only) await parts[name as keyof typeof parts](results, rounds, say)

const figures = figuresOf(results)
console.log(`\n${table(results)}\n`)
writeFileSync(values.svg, chart(results))
say(`drawn in ${values.svg}`)
if (values.json) writeFileSync(values.json, `${JSON.stringify({ ...results, ...figures }, undefined, 2)}\n`)
