import { Argument, type Command } from 'commander'
import { RaspiError } from '../errors.ts'
import { phase } from '../host/progress.ts'
import { imageAt } from '../image/reference.ts'
import type { ProvisionAction } from '../pi/provision.ts'
import { StandingLabs } from '../standing/client.ts'
import { type CommandContext, json } from './output.ts'

const examples = `
Examples:
  vitest-raspi up compute00 --enroll --bmc    a node that is off, with nothing on its card
  vitest-raspi provision compute00            how far it has come
  vitest-raspi provision compute00 provide    makes it available
  vitest-raspi provision compute00 deploy     a fresh card of the image it came up for; it is active then
  vitest-raspi provision compute00 clean      pulls its plug and wipes its card; it is available again
  vitest-raspi ls --watch                     shows it all, from another terminal`

const actions = ['state', 'provide', 'deploy', 'clean'] as const

interface ProvisionOptions {
  image?: string
  json?: boolean
}

/** Adds `provision`, which takes Pis through the states of nodes. */
export function addProvision(program: Command, { output, env, cwd }: CommandContext): void {
  program
    .command('provision')
    .description('make a node available, deploy it, or clean it')
    .argument('<name>', 'the Pi')
    .addArgument(new Argument('[action]', 'what to do').choices(actions).default('state'))
    .option('--image <name>', 'with `deploy`: another image, by its name, URL or path')
    .option('--json', 'print JSON: { name, provision }')
    .addHelpText('after', examples)
    .action(async (name: string, word: (typeof actions)[number], options: ProvisionOptions) => {
      if (options.image !== undefined && word !== 'deploy')
        throw new RaspiError('options', '--image is for `deploy` only.')
      // The working directory of the lab, which is told, is another.
      const image = options.image === undefined ? undefined : imageAt(options.image, cwd)
      const labs = new StandingLabs(env)
      const [pi] = await labs.find([name])
      if (!pi) return
      const action: ProvisionAction | undefined = word === 'state' ? undefined : word
      const work = () => labs.provision(pi, action, image)
      const provision = await (action === 'deploy' ? phase(output.err, `Deploying ${name}`, work) : work())
      output.out(options.json ? json({ name, provision }) : `${name}: ${provision}`)
    })
}
