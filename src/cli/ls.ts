import { styleText } from 'node:util'
import type { Command } from 'commander'
import { type FoundPi, StandingLabs } from '../standing/client.ts'
import type { StandingState } from '../standing/protocol.ts'
import { roughly } from './duration.ts'
import { interruptible } from './interrupt.ts'
import { type CommandContext, json, type Output, table } from './output.ts'
import { watch } from './watch.ts'

const examples = `
Examples:
  vitest-raspi ls          the Pis that are up
  vitest-raspi ls --watch  the same, drawn anew each second, until Ctrl-C
  vitest-raspi ls --json   the same for machines; with --watch a line whenever it changes
  vitest-raspi ls -q       their names only`

const none = 'No Pi is up. `vitest-raspi up` brings one up.'

interface LsOptions {
  quiet?: boolean
  watch?: boolean
  json?: boolean
}

/** Adds `ls`, which tells what Pis stand. */
export function addLs(program: Command, { output, env }: CommandContext): void {
  program
    .command('ls')
    .alias('list')
    .description('list the Pis that are up')
    .option('-q, --quiet', 'print their names only')
    .option('-w, --watch', 'go on, until Ctrl-C')
    .option(
      '--json',
      'print JSON: a list of { name, state, power, provision, bmc, sshPort, image, origin, since, … }',
    )
    .addHelpText('after', examples)
    .action(async (options: LsOptions) => {
      const labs = new StandingLabs(env)
      if (options.watch) return interruptible((signal) => goOn(labs, options, output, signal))
      const pis = await labs.list()
      if (options.json) return output.out(json(pis.map(forMachines)))
      if (options.quiet) {
        for (const { name } of pis) output.out(name)
        return
      }
      if (pis.length === 0) return output.err(none)
      for (const line of listing(pis)) output.out(line)
    })
}

function goOn(labs: StandingLabs, { quiet, json }: LsOptions, output: Output, signal: AbortSignal) {
  const lines = (pis: FoundPi[]) => {
    if (json) return [JSON.stringify(pis.map(forMachines))]
    if (quiet) return pis.map(({ name }) => name)
    return pis.length === 0 ? [none] : listing(pis)
  }
  const moving = output.watched === true && !json
  return watch(output, { look: () => labs.list(), lines, moving, signal })
}

/** The table of Pis, with what is wrong with some of them below it. */
export function listing(pis: readonly FoundPi[], now = Date.now()): string[] {
  const columns: [heading: string, cell: (pi: FoundPi) => string][] = [
    ['NAME', ({ name }) => name],
    ['STATE', ({ state }) => state],
    ...(pis.some(isNode) ? ofNodes : []),
    ['SSH PORT', ({ sshPort }) => String(sshPort)],
    ['IMAGE', ({ image, provision }) => (isVacant(provision) ? '-' : image)],
    ['ORIGIN', ({ origin, provision }) => (isVacant(provision) ? '-' : (origin ?? '-'))],
    ['SINCE', ({ since }) => `${roughly(now - Date.parse(since))} ago`],
    ['ENDS', ({ lab }) => endOf(lab, now)],
  ]
  const lines = table(
    columns.map(([heading]) => heading),
    pis.map((pi) => columns.map(([, cell]) => cell(pi))),
  )
  const coloured = lines.map((line, index) => paint(line, pis[index - 1]?.state))
  const problems = pis.flatMap(({ name, problem }) => (problem ? [`${name}: ${problem}`] : []))
  return problems.length > 0 ? [...coloured, '', ...problems] : coloured
}

/** What only nodes are asked for, as `baremetal node list` shows it. */
const ofNodes: [heading: string, cell: (pi: FoundPi) => string][] = [
  ['POWER', ({ power }) => power],
  ['PROVISION', ({ provision }) => provision ?? '-'],
  ['BMC', ({ bmc }) => (bmc ? `${bmc.host}:${bmc.port}` : '-')],
]

const isNode = ({ provision }: FoundPi) => provision !== undefined

/** Whether there is nothing on its card that somebody could log in to. */
const isVacant = (provision: FoundPi['provision']) => provision !== undefined && provision !== 'active'

function endOf({ until, detached }: FoundPi['lab'], now: number): string {
  if (until) return `in ${roughly(Date.parse(until) - now)}`
  return detached ? '-' : 'with Ctrl-C'
}

function paint(line: string, state: StandingState | undefined): string {
  return state === 'lost' || state === 'gone' ? styleText('red', line) : line
}

/** What machines are told: nothing of how the commands of this package talk to the lab. */
export function forMachines({ lab, ...pi }: FoundPi) {
  return { ...pi, until: lab.until ?? null, detached: lab.detached, labPid: lab.process.pid }
}
