import { RaspiError } from '../errors.ts'

/** The winds come first: they are who the Pis of the field's examples are. */
const winds = ['boreas', 'zephyrus', 'notus', 'eurus'] as const

/** The first `count` names of boreas, zephyrus, notus, eurus, pi-5, pi-6, … that are not `taken`. */
export function freeNames(count: number, taken: Iterable<string> = []): string[] {
  const used = new Set(taken)
  const names: string[] = []
  for (let number = 1; names.length < count; number++) {
    const name = winds[number - 1] ?? `pi-${number}`
    if (!used.has(name)) names.push(name)
  }
  return names
}

/** Refuses what cannot be a Pi's hostname (https://www.rfc-editor.org/rfc/rfc1123#section-2), with what would do. */
export function checkName(name: string): void {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return
  const instead = hostnameOf(name)
  throw new RaspiError('options', `"${name}" cannot be a Pi's name, because it is no hostname.`, {
    hint:
      'A hostname has up to 63 letters a-z, digits and hyphens, with no hyphen at its ends' +
      `${instead ? `: ${instead}, for example` : ''}.`,
  })
}

/** The hostname of a Pi that an inventory calls `name`: what of it a hostname may hold, in small letters. */
export function hostnameOf(name: string): string {
  const letters = name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return letters.replace(/^-+/, '').slice(0, 63).replace(/-+$/, '')
}
