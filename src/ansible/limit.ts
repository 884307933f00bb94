import type { AnsibleTarget } from './inventory.ts'
import { partsOf } from './pattern.ts'
import { isLocal, type UserInventory } from './user-inventory.ts'

/** The names under which Ansible knows the machine that it runs on, whether an inventory lists them or not. */
const thisMachine = ['localhost', '127.0.0.1', '::1']

/** The hosts of the user's inventory that have no Pi, and may not work on this machine either: no play is to reach them. */
export function strangers(
  own: UserInventory | undefined,
  targets: readonly AnsibleTarget[],
  localHosts: readonly string[],
): string[] {
  const mine = new Set([...targets.map(({ name }) => name), ...localHosts])
  return (own?.hosts ?? []).filter((host) => !mine.has(host))
}

/**
 * Whether `host` of the user's inventory is but Ansible's own name for this machine: what is delegated to it is meant for
 * this machine, whether the inventory lists that or not.
 */
export function isThisMachine(own: UserInventory | undefined, host: string): boolean {
  return thisMachine.includes(host) && isLocal(own, host)
}

/** Whether a play for `pattern` that matched no host would have worked on this machine, had `others` not been left out. */
export function wasForHere(
  own: UserInventory | undefined,
  pattern: string,
  others: readonly string[],
): boolean {
  const local = others.filter((host) => isLocal(own, host))
  const names = local.some((host) => thisMachine.includes(host)) ? [...local, ...thisMachine] : local
  return partsOf(pattern).every((part) => names.includes(part))
}

/**
 * Ansible's limit that keeps a playbook away from `others`, however its plays name them, within the user's `limit` where
 * there is one. A `localhost` that no inventory lists stays in: plays for it are about the machine that Ansible runs on.
 */
export function limitOf(
  limit: string | readonly string[] | undefined,
  mine: readonly string[],
  others: readonly string[],
): string | readonly string[] {
  const wanted = partsOf(limit ?? [])
  if (others.length === 0) return wanted
  const listed = [...mine, ...others].some((host) => thisMachine.includes(host))
  const allowed = [...mine, ...(listed ? [] : ['localhost'])]
  if (wanted.length === 0) return allowed
  return [...wanted, `&~^(${allowed.map((name) => name.replace(/[.+*?()[\]{}|^$\\]/g, '\\$&')).join('|')})$`]
}
