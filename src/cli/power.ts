import { setTimeout as delay } from 'node:timers/promises'
import { Argument, type Command } from 'commander'
import { phase } from '../host/progress.ts'
import { cyclePauseMs, type PowerState } from '../pi/power.ts'
import { type FoundPi, StandingLabs } from '../standing/client.ts'
import { type CommandContext, json } from './output.ts'

const examples = `
Examples:
  vitest-raspi power boreas         on or off?
  vitest-raspi power boreas off     shuts its system down
  vitest-raspi power boreas cut     pulls its plug: what its system had not written is lost
  vitest-raspi power boreas on      it boots from its card, which takes about a minute; \`ssh\` waits for it
  vitest-raspi power boreas cycle   cut, and on again`

const actions = ['state', 'on', 'off', 'cut', 'cycle', 'reset'] as const

/** Adds `power`, which switches Pis. */
export function addPower(program: Command, { output, env }: CommandContext): void {
  program
    .command('power')
    .description("switch a Pi's power, or tell whether it has any")
    .argument('<name>', 'the Pi')
    .addArgument(new Argument('[action]', 'what to do').choices(actions).default('state'))
    .option('--json', 'print JSON: { name, power }')
    .addHelpText('after', examples)
    .action(async (name: string, action: (typeof actions)[number], options: { json?: boolean }) => {
      const labs = new StandingLabs(env)
      const [pi] = await labs.find([name])
      if (!pi) return
      const work = () => act(labs, pi, action)
      const power = await (action === 'off' ? phase(output.err, `Shutting ${name} down`, work) : work())
      output.out(options.json ? json({ name, power }) : `${name} is ${power}.`)
    })
}

async function act(labs: StandingLabs, pi: FoundPi, action: (typeof actions)[number]): Promise<PowerState> {
  if (action === 'state') return labs.power(pi, undefined)
  if (action !== 'cycle') return labs.power(pi, action)
  await labs.power(pi, 'cut')
  await delay(cyclePauseMs)
  return labs.power(pi, 'on')
}
