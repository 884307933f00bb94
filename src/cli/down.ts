import type { Command } from 'commander'
import { listOf } from '../host/list-of.ts'
import { StandingLabs } from '../standing/client.ts'
import { type CommandContext, json } from './output.ts'

const examples = `
Examples:
  vitest-raspi down          end all Pis
  vitest-raspi down boreas   end one; the others stay up`

/** Adds `down`, which ends Pis. */
export function addDown(program: Command, { output, env }: CommandContext): void {
  program
    .command('down')
    .description('end Pis, as if their plugs were pulled')
    .argument('[names...]', 'the Pis (default: all)')
    .option('--json', 'print JSON: { ended }')
    .addHelpText('after', examples)
    .action(async (names: string[], options: { json?: boolean }) => {
      const labs = new StandingLabs(env)
      const found = await labs.find(names)
      // Those that are gone were swept as they were found.
      await labs.down(found.filter(({ state }) => state !== 'gone'))
      const ended = found.map(({ name }) => name)
      if (options.json) return output.out(json({ ended }))
      output.out(ended.length === 0 ? 'No Pi was up.' : `Ended ${listOf(ended)}.`)
    })
}
