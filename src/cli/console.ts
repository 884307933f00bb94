import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { RaspiError } from '../errors.ts'
import { ConsoleLog } from '../machine/console-log.ts'
import { StandingLabs } from '../standing/client.ts'
import { parseCount } from './duration.ts'
import type { CommandContext } from './output.ts'

const examples = `
Examples:
  vitest-raspi console boreas         what its serial console has shown so far
  vitest-raspi console boreas -n 20   the last 20 lines
  vitest-raspi console boreas -f      go on with what comes, until Ctrl-C`

/** How often a console that is followed is looked at, in ms. */
const everyMs = 200

/** Adds `console`, which shows what a Pi's serial console has shown. */
export function addConsole(program: Command, { output, env }: CommandContext): void {
  program
    .command('console')
    .description("show a Pi's serial console")
    .argument('<name>', 'the Pi')
    .option('-f, --follow', 'go on with what comes')
    .option('-n, --lines <n>', 'only so many of its last lines', parseCount(1, 1_000_000))
    .addHelpText('after', examples)
    .action(async (name: string, { follow, lines }: { follow?: boolean; lines?: number }) => {
      const labs = new StandingLabs(env)
      const [pi] = await labs.find([name])
      if (!pi?.consoleFile) {
        const why = pi?.problem ?? (pi?.state === 'starting' ? 'it is still starting' : 'it is gone')
        throw new RaspiError('lab', `Pi ${name} has no console: ${why}.`)
      }
      const log = new ConsoleLog(pi.consoleFile)
      const text = await log.text()
      const whole = text.trimEnd().split('\n')
      output.out((lines === undefined ? whole : whole.slice(-lines)).join('\n'))
      const isThere = async () =>
        (await labs.list()).some((each) => each.name === name && each.state !== 'gone')
      if (follow) await goOn(log, text.trimEnd().length, output.out, isThere)
    })
}

/** Shows whole lines as they come, until the console is gone, and with it the Pi: one that is off, or reset, has none yet. */
async function goOn(
  log: ConsoleLog,
  shown: number,
  out: (line: string) => void,
  isThere: () => Promise<boolean>,
): Promise<void> {
  let size = -1
  while (existsSync(log.file) || (await isThere())) {
    const now = await log.size()
    if (now !== size) {
      const text = await log.text()
      // A Pi that was reset has a new console.
      if (now < size) shown = 0
      const end = text.lastIndexOf('\n')
      if (end > shown) {
        out(text.slice(shown, end).replace(/^\n/, ''))
        shown = end
      }
      size = now
    }
    await delay(everyMs)
  }
}
