import { quote } from '../host/quote.ts'
import type { Exported } from './export.ts'

/**
 * An inventory in Ansible's INI format. All variables stand beside their hosts: there, and only there, a value is read as
 * Python writes it, so that lists and numbers stay what they are.
 * https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ini_inventory.html
 */
export function iniInventory({ hosts, groups }: Exported): string {
  const lines = Object.entries(hosts).map(([name, vars]) =>
    [name, ...Object.entries(vars).map(([variable, value]) => `${variable}=${word(value)}`)].join(' '),
  )
  for (const [name, group] of Object.entries(groups)) {
    // One that is a child has to be there, also where nobody is in it.
    if (group.hosts.length > 0 || group.children.length === 0) lines.push('', `[${name}]`, ...group.hosts)
    if (group.children.length > 0) lines.push('', `[${name}:children]`, ...group.children)
  }
  return `${lines.join('\n')}\n`
}

/** What Python reads as something else than the text that it is, or the file's reader as more than one word. */
const plain = /^(?!(True|False|None)$)([A-Za-z_/~][\w./:@~+-]*|\d+(\.\d+){3})$/

/** A value as one word for a shell, which is Python's for it. */
function word(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string' && plain.test(value)) return value
  return quote(python(value))
}

/** A value as Python writes it. What JSON writes of a text is the same in Python. */
function python(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined)
    return `{${entries.map(([key, each]) => `${JSON.stringify(key)}: ${python(each)}`).join(', ')}}`
  }
  return JSON.stringify(value)
}
