import { isIPv6 } from 'node:net'

/**
 * The parts of host patterns, as Ansible finds them. It splits one at its colons only where it has no comma, so that one
 * that is joined to others has to be split beforehand. Colons stay in brackets, in addresses and in a `(?:`.
 * https://github.com/ansible/ansible/blob/v2.14.18/lib/ansible/inventory/manager.py (split_host_pattern)
 */
export function partsOf(patterns: string | readonly string[]): string[] {
  return [patterns]
    .flat()
    .flatMap((pattern) => (pattern.includes(',') ? pattern.split(',') : atColons(pattern.trim())))
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function atColons(pattern: string): string[] {
  if (isIPv6(pattern.replace(/^[&!]/, ''))) return [pattern]
  return pattern.match(/([^\s:[\]]|\[[^\]]*\]|(?<=\(\?):)+/g) ?? []
}
