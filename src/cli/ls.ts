import { styleText } from 'node:util'
import type { Command } from 'commander'
import { type FoundPi, StandingLabs } from '../standing/client.ts'
import type { StandingState } from '../standing/protocol.ts'
import { roughly } from './duration.ts'
import { type CommandContext, json, table } from './output.ts'

const examples = `
Examples:
  vitest-raspi ls          the Pis that stand
  vitest-raspi ls --json   the same for machines
  vitest-raspi ls -q       their names only`

/** Adds `ls`, which tells what Pis stand. */
export function addLs(program: Command, { output, env }: CommandContext): void {
  program
    .command('ls')
    .alias('list')
    .description('list the Pis that are up')
    .option('-q, --quiet', 'print their names only')
    .option('--json', 'print JSON: a list of { name, state, sshPort, image, origin, since, … }')
    .addHelpText('after', examples)
    .action(async (options: { quiet?: boolean; json?: boolean }) => {
      const pis = await new StandingLabs(env).list()
      if (options.json) return output.out(json(pis.map(forMachines)))
      if (options.quiet) {
        for (const { name } of pis) output.out(name)
        return
      }
      if (pis.length === 0) return output.err('No Pi is up. `vitest-raspi up` brings one up.')
      for (const line of listing(pis)) output.out(line)
    })
}

/** The table of Pis, with what is wrong with some of them below it. */
export function listing(pis: readonly FoundPi[], now = Date.now()): string[] {
  const rows = pis.map(({ name, state, sshPort, image, origin, since, lab }) => [
    name,
    state,
    String(sshPort),
    image,
    origin ?? '-',
    `${roughly(now - Date.parse(since))} ago`,
    lab.until ? `in ${roughly(Date.parse(lab.until) - now)}` : lab.detached ? '-' : 'with Ctrl-C',
  ])
  const lines = table(['NAME', 'STATE', 'SSH PORT', 'IMAGE', 'ORIGIN', 'SINCE', 'ENDS'], rows)
  const coloured = lines.map((line, index) => paint(line, pis[index - 1]?.state))
  const problems = pis.flatMap(({ name, problem }) => (problem ? [`${name}: ${problem}`] : []))
  return problems.length > 0 ? [...coloured, '', ...problems] : coloured
}

function paint(line: string, state: StandingState | undefined): string {
  return state === 'lost' || state === 'gone' ? styleText('red', line) : line
}

/** What machines are told: nothing of how the commands of this package talk to the lab. */
export function forMachines({ lab, ...pi }: FoundPi) {
  return { ...pi, until: lab.until ?? null, detached: lab.detached, labPid: lab.process.pid }
}
