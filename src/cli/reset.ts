import type { Command } from 'commander'
import { listOf } from '../host/list-of.ts'
import { duration, elapsed } from '../host/progress.ts'
import { StandingLabs } from '../standing/client.ts'
import { type CommandContext, json } from './output.ts'

const examples = `
Examples:
  vitest-raspi reset boreas   as it was when it came up, and at the same ssh port
  vitest-raspi reset --all    all of them`

/** Adds `reset`, which makes Pis fresh again. */
export function addReset(program: Command, { output, env }: CommandContext): void {
  program
    .command('reset')
    .description('make Pis fresh again: what was done to them is gone, name and ssh port stay')
    .argument('[names...]', 'the Pis')
    .option('-a, --all', 'all of them')
    .option('--json', 'print JSON: a list of { name, state, sshPort, … }')
    .addHelpText('after', examples)
    .action(async (names: string[], options: { all?: boolean; json?: boolean }, command: Command) => {
      if ((names.length === 0) !== (options.all === true)) command.error('error: name the Pis, or say --all')
      const labs = new StandingLabs(env)
      const found = (await labs.find(names)).filter(({ state }) => names.length > 0 || state !== 'gone')
      const started = performance.now()
      if (found.length > 0) output.err(`Resetting ${listOf(found.map(({ name }) => name))} …`)
      const pis = await labs.reset(found)
      if (options.json) return output.out(json(pis))
      for (const { name, sshPort, origin, startMs, power } of pis) {
        const how = power === 'on' ? `${origin} in ${duration(startMs ?? 0)}` : 'off, as it came up'
        output.out(`${name} is fresh: ${how}, ssh on port ${sshPort}`)
      }
      output.err(pis.length === 0 ? 'No Pi is up.' : `Done in ${elapsed(started)}.`)
    })
}
