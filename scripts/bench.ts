// `npm run bench`: what a fresh Pi costs, and what it would cost otherwise, side by side in one run. Times of a shared
// machine mean little, ratios of one run do.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { isRaspiError } from '../src/errors.ts'
import { defaultCacheDir } from '../src/host/paths.ts'
import { ansiblePrograms, assertHost } from '../src/host/requirements.ts'
import { measureBmc } from './bench/bmc.ts'
import { chart } from './bench/chart.ts'
import { measureEvidence } from './bench/evidence.ts'
import { measureFootprint } from './bench/footprint.ts'
import { hostLine } from './bench/host.ts'
import { measureLoop } from './bench/loop.ts'
import { measureParallel } from './bench/parallel.ts'
import { measurePiNetwork } from './bench/pi-network.ts'
import { measurePlaybook } from './bench/playbook.ts'
import { besides, figuresOf, type Results, table } from './bench/results.ts'
import { measureDocker, measureSingle, measureVirt } from './bench/single.ts'
import { measureSuites } from './bench/suites.ts'
import { measureSwitch } from './bench/switch.ts'
import { measureUp } from './bench/up.ts'

const parts = {
  single: measureSingle,
  parallel: measureParallel,
  up: measureUp,
  footprint: measureFootprint,
  suite: measureSuites,
  switch: measureSwitch,
  playbook: measurePlaybook,
  loop: measureLoop,
  evidence: measureEvidence,
  network: measurePiNetwork,
  bmc: measureBmc,
  virt: measureVirt,
  docker: measureDocker,
}

/** What needs more than the tests do (openipmi, an engine of Docker's) is measured where it is asked for. */
const usual = Object.keys(parts).filter((name) => name !== 'docker' && name !== 'bmc')

const usage = `npm run bench [-- --json FILE] [-- --svg FILE] [-- --only NAME …] [-- --rounds N]

  --json FILE   write the figures there, too; with --only, what FILE has of other parts stays in it
  --svg FILE    where the bars are drawn (default: .vitest/bench.svg)
  --only NAME   measure this only, once for each: ${Object.keys(parts).join(', ')}
                (default: all but bmc and docker)
  --rounds N    how often, for medians (default: 3)`

const values = readOptions()
const rounds = Number(values.rounds)

const say = (line: string) => console.log(`[bench] ${line}`)
const earlier = readEarlier()
const at = new Date().toISOString()
const results = await measure()
console.log(`\n${table(results)}\n`)
mkdirSync(dirname(values.svg), { recursive: true })
writeFileSync(values.svg, chart(results))
say(`drawn in ${values.svg}`)
if (values.json) {
  const all = besides(earlier, results, at)
  writeFileSync(values.json, `${JSON.stringify({ ...all, ...figuresOf(all) }, undefined, 2)}\n`)
}

/** What is to stay in the file of the figures. One that is of another host has no place for figures of this one. */
function readEarlier(): Results | undefined {
  const { json, only } = values
  if (!json || only === usual || !existsSync(json)) return undefined
  const found: Results = JSON.parse(readFileSync(json, 'utf8'))
  const host = hostLine()
  if (found.host === host) return found
  console.error(`${json} has figures of another host, ${found.host}; this is ${host}.`)
  process.exit(2)
}

async function measure(): Promise<Results> {
  try {
    // What needs an Ansible says so itself.
    await assertHost(['run'], { cacheDir: defaultCacheDir() }, { without: ansiblePrograms })
    const results: Results = { host: hostLine(), samples: {}, spans: {} }
    say(results.host)
    for (const name of values.only) await parts[name as keyof typeof parts](results, rounds, say)
    return results
  } catch (error) {
    if (!isRaspiError(error)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'string' },
        svg: { type: 'string', default: '.vitest/bench.svg' },
        only: { type: 'string', multiple: true, default: usual },
        rounds: { type: 'string', default: '3' },
      },
    })
    if (values.help) {
      console.log(usage)
      process.exit(0)
    }
    const unknown = values.only.filter((name) => !(name in parts))
    if (unknown.length > 0) throw new Error(`There is no part ${unknown.join(', ')}.`)
    if (!(Number(values.rounds) >= 1)) throw new Error('--rounds takes a number from 1 on.')
    return values
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}
