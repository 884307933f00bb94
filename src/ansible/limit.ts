import type { AnsibleTarget } from './inventory.ts'
import { otherConnection, type UserInventory } from './user-inventory.ts'

/** The hosts of the user's inventory that have no Pi and are machines elsewhere: nothing may be done to them. */
export function strangers(
  own: UserInventory | undefined,
  targets: readonly AnsibleTarget[],
  localHosts: readonly string[],
): string[] {
  const mine = new Set([...targets.map(({ name }) => name), ...localHosts])
  return (own?.hosts ?? []).filter(
    (host) => !mine.has(host) && otherConnection(own?.vars[host] ?? {}) !== 'local',
  )
}

/**
 * Ansible's limit that keeps a playbook away from `others`, however its plays name them, within the user's `limit` where
 * there is one. The implicit `localhost` stays in: plays for it are about the machine that Ansible runs on.
 */
export function limitOf(
  limit: string | readonly string[] | undefined,
  mine: readonly string[],
  others: readonly string[],
): string | readonly string[] {
  const wanted = [limit ?? []].flat().filter((part) => part !== '')
  if (others.length === 0) return wanted
  const allowed = [...mine, 'localhost']
  if (wanted.length === 0) return allowed
  return [...wanted, `&~^(${allowed.map((name) => name.replace(/[.+*?()[\]{}|^$\\]/g, '\\$&')).join('|')})$`]
}
