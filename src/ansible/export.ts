import { stringify } from 'yaml'
import { RaspiError } from '../errors.ts'
import type { Hardware } from '../machine/hardware.ts'
import { bifrostNodes } from './bifrost.ts'
import { iniInventory } from './ini.ts'
import { type AnsibleTarget, connectionVars } from './inventory.ts'
import { ownVars } from './own-vars.ts'
import { groupsOf, type UserInventory } from './user-inventory.ts'

/** Hosts and groups, with all that is known of them. */
export interface Exported {
  /** The hosts' variables, their connection among them. */
  hosts: Record<string, Record<string, unknown>>
  groups: Record<string, { hosts: readonly string[]; children: readonly string[] }>
  hardware: Record<string, Hardware | undefined>
}

/** The formats of inventories: three that Ansible reads, and the `baremetal.json` of Bifrost. */
export const inventoryFormats = ['ini', 'yaml', 'json', 'bifrost'] as const

export type InventoryFormat = (typeof inventoryFormats)[number]

/**
 * The text of an inventory file. What Bifrost is told of are the hosts that have a BMC; throws a `RaspiError` where none
 * has, or where there is no such format.
 */
export function exportInventory(exported: Exported, format: InventoryFormat): string {
  if (!inventoryFormats.includes(format))
    throw new RaspiError('options', `There is no format "${format}" of inventories.`, {
      hint: `Formats are: ${inventoryFormats.join(', ')}.`,
    })
  if (format === 'ini') return iniInventory(exported)
  if (format === 'bifrost') return `${JSON.stringify(bifrostNodes(exported), undefined, 2)}\n`
  const inventory = { all: { hosts: exported.hosts, children: childrenOf(exported) } }
  return format === 'yaml'
    ? // Ansible reads YAML 1.1, in which a bare `yes` is no text.
      stringify(inventory, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 })
    : `${JSON.stringify(inventory, undefined, 2)}\n`
}

/** What is to be exported of the Pis of a test: of the user's `own` inventory where there is one, but with our connection. */
export function exportedTargets(
  targets: readonly AnsibleTarget[],
  controlDir: string,
  own?: UserInventory,
): Exported {
  const names = own ? Object.keys(own.groups) : targets.flatMap(({ groups = [] }) => groups)
  const groups = names.map((group) => {
    const isIn = ({ name, groups: named = [] }: AnsibleTarget) =>
      (own ? groupsOf(own, name) : named).includes(group)
    const members = targets.filter(isIn).map(({ name }) => name)
    return [group, { hosts: members, children: own?.groups[group]?.children ?? [] }]
  })
  const hosts = targets.map((target) => [
    target.name,
    {
      ...ownVars(own?.vars[target.name] ?? {}),
      ansible_python_interpreter: '/usr/bin/python3',
      ...connectionVars(target, controlDir),
      ...target.vars,
    },
  ])
  return {
    ...{ hosts: Object.fromEntries(hosts), groups: Object.fromEntries(groups) },
    hardware: Object.fromEntries(targets.map(({ name, hardware }) => [name, hardware])),
  }
}

function childrenOf({ groups }: Exported): Record<string, object> {
  const named = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]))
  return Object.fromEntries(
    Object.entries(groups).map(([name, { hosts, children }]) => [
      name,
      {
        ...(hosts.length > 0 ? { hosts: named(hosts) } : {}),
        ...(children.length > 0 ? { children: named(children) } : {}),
      },
    ]),
  )
}
