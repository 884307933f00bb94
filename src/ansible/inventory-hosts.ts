import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { execa } from 'execa'
import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import { ansibleMissing } from './config.ts'

/** A host as an inventory knows it. */
export interface InventoryHost {
  name: string
  /** The groups that name it, without `all` and `ungrouped`. */
  groups: string[]
  /** All its variables, those of its groups among them, as they are written. */
  vars: Record<string, unknown>
}

/** What `ansible-inventory --list` tells. */
export interface InventoryHosts {
  /** In the order of the inventory. */
  hosts: InventoryHost[]
  /** The groups that contain other groups, with these. */
  groupChildren: Record<string, string[]>
}

const groupSchema = z.object({
  hosts: z.array(z.string()).optional(),
  children: z.array(z.string()).optional(),
})
const listSchema = z.looseObject({
  _meta: z.object({ hostvars: z.record(z.string(), z.record(z.string(), z.unknown())) }),
})

/**
 * Asks Ansible for the hosts of the inventory `path`, whatever its kind. Throws a `RaspiError` where it cannot be read
 * or has no host.
 */
export async function inventoryHosts(
  path: string,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<InventoryHosts> {
  const missing = !path.includes(',') && !statSync(resolve(cwd, path), { throwIfNoEntry: false })
  if (missing) throw new RaspiError('ansible', `The inventory ${path} does not exist.`)
  const options = { cwd, env: { ...env, ANSIBLE_INVENTORY_UNPARSED_FAILED: 'true', ANSIBLE_NOCOLOR: '1' } }
  const [list, order] = await Promise.all([
    ask('ansible-inventory', ['-i', path, '--list'], path, options),
    ask('ansible', ['all', '-i', path, '--list-hosts'], path, options),
  ])
  const names = order.split('\n').flatMap((line) => /^ {4}(\S.*)$/.exec(line)?.[1] ?? [])
  if (names.length === 0) throw new RaspiError('ansible', `The inventory ${path} has no host.`)
  return parseInventory(list, names)
}

/** Reads what `ansible-inventory --list` prints; `order` is that of the hosts. */
export function parseInventory(json: string, order: readonly string[]): InventoryHosts {
  const { _meta, ...rest } = listSchema.parse(JSON.parse(json))
  const groups = Object.entries(rest)
    .filter(([name]) => name !== 'all' && name !== 'ungrouped')
    .map(([name, group]) => ({ name, ...groupSchema.parse(group) }))
  const parents = groups.filter(({ children = [] }) => children.length > 0)
  return {
    hosts: order.map((name) => ({
      name,
      groups: groups.filter(({ hosts = [] }) => hosts.includes(name)).map((group) => group.name),
      vars: _meta.hostvars[name] ?? {},
    })),
    groupChildren: Object.fromEntries(parents.map(({ name, children = [] }) => [name, children])),
  }
}

async function ask(
  program: string,
  args: string[],
  path: string,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<string> {
  const result = await execa(program, args, {
    ...{ cwd, env, extendEnv: false, stdin: 'ignore', reject: false, timeout: 60_000 },
  })
  if (result.code === 'ENOENT') throw ansibleMissing(program, result.cause)
  if (result.exitCode === 0) return result.stdout
  const reasons = result.stderr.match(/^(\[WARNING\]: {1,2}\*|ERROR!|\[ERROR\]:).*$/gm) ?? []
  throw new RaspiError('ansible', `The inventory ${path} cannot be read by Ansible.`, {
    hint: `Run \`ansible-inventory -i ${path} --list\` to see for yourself.`,
    evidence: reasons.join('\n') || result.stderr.trim(),
  })
}
