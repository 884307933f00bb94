import type { Exported } from '../ansible/export.ts'
import { connectionVars } from '../ansible/inventory.ts'
import { ownVars } from '../ansible/own-vars.ts'
import type { Hardware } from '../machine/hardware.ts'
import type { PiConnection } from '../pi/connection.ts'
import { sshSettings } from '../pi/ssh.ts'

/** A standing Pi as other tools are to see it. */
export interface ReadyPi {
  name: string
  groups: readonly string[]
  vars: Record<string, unknown>
  connection: PiConnection
  controlPath: string
}

type Hosts = Record<string, Record<string, unknown>>
interface Group {
  hosts?: Record<string, object>
  children?: Record<string, object>
}

/** An inventory that as JSON is the YAML Ansible reads. */
export interface StaticInventory {
  all: { vars: Record<string, unknown>; hosts: Hosts; children: Record<string, Group> }
}

/** An inventory as a script answers `--list` with: https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html */
export type ScriptInventory = Record<string, { hosts?: string[]; children?: string[]; vars?: object }> & {
  _meta: { hostvars: Hosts }
}

/**
 * The inventory of `pis`: their own groups and variables, but our connection. It holds all there is to know of them, so
 * that nothing of the inventory they come from is wanted beside it.
 */
export function staticInventory(
  pis: readonly ReadyPi[],
  groupChildren: Record<string, string[]>,
  controlDir: string,
): StaticInventory {
  const children: Record<string, Group> = {}
  for (const [group, inner] of Object.entries(groupChildren))
    children[group] = { children: Object.fromEntries(inner.map((name) => [name, {}])) }
  for (const { name, groups } of pis) {
    for (const group of groups)
      children[group] = { ...children[group], hosts: { ...children[group]?.hosts, [name]: {} } }
  }
  return {
    all: {
      vars: {
        ansible_python_interpreter: '/usr/bin/python3',
        // Half the round trips of each task: https://docs.ansible.com/ansible/latest/reference_appendices/config.html#ansible-pipelining
        ansible_pipelining: true,
        // Emulated Pis take their time when several are logged in to at once.
        ansible_ssh_timeout: 60,
      },
      hosts: Object.fromEntries(pis.map((pi) => [pi.name, hostVars(pi, controlDir)])),
      children,
    },
  }
}

function hostVars({ name, vars, connection, controlPath }: ReadyPi, controlDir: string) {
  return {
    ...ownVars(vars),
    ...connectionVars({ ...connection, name, controlPath }, controlDir),
  }
}

/** What a script answers `--list` with for all of `inventories` together. */
export function scriptInventory(inventories: readonly StaticInventory[]): ScriptInventory {
  const hostvars: Hosts = {}
  const groups: Record<string, { hosts: Set<string>; children: Set<string> }> = {}
  const group = (name: string) => {
    groups[name] ??= { hosts: new Set(), children: new Set() }
    return groups[name]
  }
  group('all')
  for (const { all } of inventories) {
    for (const [name, vars] of Object.entries(all.hosts)) {
      hostvars[name] = { ...all.vars, ...vars }
      group('all').hosts.add(name)
    }
    for (const [name, { hosts = {}, children = {} }] of Object.entries(all.children)) {
      group('all').children.add(name)
      for (const host of Object.keys(hosts)) group(name).hosts.add(host)
      for (const child of Object.keys(children)) group(name).children.add(child)
    }
  }
  const lists = Object.entries(groups).map(([name, { hosts, children }]) => [
    name,
    { hosts: [...hosts], ...(children.size > 0 ? { children: [...children] } : {}) },
  ])
  return { ...Object.fromEntries(lists), _meta: { hostvars } }
}

/** The same as what can be exported, where `hardware` is known of some. */
export function exportedInventory(
  { _meta, all: _, ...groups }: ScriptInventory,
  hardware: Record<string, Hardware | undefined>,
): Exported {
  const named = Object.entries(groups).map(([name, { hosts = [], children = [] }]) => [
    name,
    { hosts, children },
  ])
  return { hosts: _meta.hostvars, groups: Object.fromEntries(named), hardware }
}

/** A part of OpenSSH's configuration in which each of `pis` is a host by its name. */
export function sshConfig(pis: readonly ReadyPi[]): string {
  return pis
    .map(({ name, connection, controlPath }) => {
      const settings = Object.entries({ HostName: connection.host, ...sshSettings(connection, controlPath) })
      return [`Host ${name}`, ...settings.map(([key, value]) => `  ${key} ${word(value)}`), ''].join('\n')
    })
    .join('\n')
}

/** A word of ssh_config(5), which splits at blanks. */
const word = (value: string | number) => (/\s/.test(String(value)) ? `"${value}"` : String(value))
