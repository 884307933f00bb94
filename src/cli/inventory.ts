import { type Command, Option } from 'commander'
import { RaspiError } from '../errors.ts'
import { StandingLabs } from '../standing/client.ts'
import { type ScriptInventory, type StaticInventory, scriptInventory } from '../standing/ready-files.ts'
import { type CommandContext, json } from './output.ts'

const examples = `
Examples:
  ansible-playbook -i "$(vitest-raspi inventory)" site.yml
  ansible -i "$(vitest-raspi inventory)" all -m ping
  vitest-raspi inventory --list   as an inventory script, for tools that want one

The path stays the same, and what is there follows the Pis that come and go.`

/** Adds `inventory`, which brings the Pis that stand to Ansible. */
export function addInventory(program: Command, { output, env }: CommandContext): void {
  program
    .command('inventory')
    .description('print the path of an inventory of the Pis that are up')
    .option('--list', 'print the inventory itself, as an inventory script does')
    .addOption(new Option('--host <name>', 'print the variables of one host').conflicts('list'))
    .option('--json', 'print JSON: { path, hosts }')
    .addHelpText('after', examples)
    .action(async (options: { list?: boolean; host?: string; json?: boolean }) => {
      const labs = new StandingLabs(env)
      const inventory = await readInventory(labs)
      if (options.list) return output.out(json(inventory))
      const { hostvars } = inventory._meta
      // A script answers for a host it does not know with nothing.
      if (options.host !== undefined) return output.out(json(hostvars[options.host] ?? {}))
      const hosts = Object.keys(hostvars)
      const path = labs.registry.inventoryDir
      if (hosts.length === 0) {
        throw new RaspiError('lab', 'There is no inventory, because no Pi is up.', {
          hint: '`vitest-raspi up` brings one up.',
        })
      }
      output.out(options.json ? json({ path, hosts }) : path)
    })
}

async function readInventory(labs: StandingLabs): Promise<ScriptInventory> {
  // Sweeps what dead labs have left in it.
  await labs.list()
  const written = labs.labs().flatMap((lab): StaticInventory[] => {
    try {
      return [JSON.parse(labs.registry.readInventory(lab))]
    } catch {
      // It has no Pi that is up yet, or has ended in this moment.
      return []
    }
  })
  return scriptInventory(written)
}
