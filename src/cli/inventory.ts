import { type Command, Option } from 'commander'
import { exportInventory, type InventoryFormat, inventoryFormats } from '../ansible/export.ts'
import { RaspiError } from '../errors.ts'
import { StandingLabs } from '../standing/client.ts'
import {
  exportedInventory,
  type ScriptInventory,
  type StaticInventory,
  scriptInventory,
} from '../standing/ready-files.ts'
import { type CommandContext, json } from './output.ts'

const examples = `
Examples:
  ansible-playbook -i "$(vitest-raspi inventory)" site.yml
  ansible -i "$(vitest-raspi inventory)" all -m ping
  vitest-raspi inventory --list   as an inventory script, for tools that want one
  vitest-raspi inventory --format ini > hosts.ini
  vitest-raspi inventory --format bifrost > baremetal.json   the nodes with their BMCs and MACs

What is printed by --format holds the BMCs' passwords. The path stays the same, and what is there follows the Pis that come and go.`

interface InventoryOptions {
  list?: boolean
  host?: string
  format?: InventoryFormat
  json?: boolean
}

/** Adds `inventory`, which brings the Pis that stand to Ansible. */
export function addInventory(program: Command, { output, env }: CommandContext): void {
  program
    .command('inventory')
    .description('print the path of an inventory of the Pis that are up')
    .option('--list', 'print the inventory itself, as an inventory script does')
    .addOption(new Option('--host <name>', 'print the variables of one host').conflicts('list'))
    .addOption(
      new Option('--format <format>', 'print the inventory as a file of this format')
        .choices(inventoryFormats)
        .conflicts(['list', 'host', 'json']),
    )
    .option('--json', 'print JSON: { path, hosts }')
    .addHelpText('after', examples)
    .action(async (options: InventoryOptions) => {
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
      if (options.format) {
        const pis = await labs.list()
        const hardware = Object.fromEntries(pis.map((pi) => [pi.name, pi.hardware]))
        return output.out(exportInventory(exportedInventory(inventory, hardware), options.format).trimEnd())
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
