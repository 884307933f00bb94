import { type Fdt, nodeAt, stringOf, stringValue, textAt } from './fdt.ts'
import { pathOfPhandle, renameNode } from './rename-node.ts'

/** The sizes of integers by the sign before their offset. */
const bitsOf: Record<string, number> = { '.': 8, ';': 16, ':': 32, '#': 64 }

/** One place that a parameter sets. */
interface Target {
  /** 0 stands for the overlay itself. */
  phandle: number
  property: string
  /** The sign behind the property: of an integer, `?` or `!` of a switch, `[` of bytes, none of a string. */
  kind: string
  offset: number
  value: string
}

/**
 * Sets the parameter `name` of a device tree or an overlay, as declared in its `__overrides__`. Gives false where it
 * declares no such parameter; throws an Error that says why where it cannot be set.
 * https://www.raspberrypi.com/documentation/computers/configuration.html#device-tree-parameters
 */
export function setParameter(tree: Fdt, name: string, value: string): boolean {
  const declaration = nodeAt(tree, '/__overrides__')?.properties.get(name)
  if (!declaration) return false
  for (const target of targetsOf(declaration, value)) {
    if (target.phandle === 0) switchFragments(tree, target)
    else assign(tree, target)
  }
  return true
}

function* targetsOf(declaration: Buffer, given: string): Generator<Target> {
  let at = 0
  const cell = () => {
    at += 4
    return declaration.readUInt32BE(at - 4)
  }
  const text = () => {
    const value = textAt(declaration, at)
    at += Buffer.byteLength(value) + 1
    return value
  }
  // A parameter that does nothing is declared by an empty property, or by a single NUL.
  while (declaration.length - at > 4) {
    const phandle = cell()
    const words = text()
    if (phandle === 0) {
      yield { phandle, property: words, kind: '', offset: 0, value: given }
      continue
    }
    const [, property = '', kind = '', offset, operator, assigned = ''] =
      /^([^.;:#?![{=]+)([.;:#?![]?)(\d*)(?:([={])(.*))?$/s.exec(words) ?? []
    let value = given
    if (operator === '{') value = lookUp(assigned, given)
    // Nothing behind the sign: the value stands behind the string, as a cell or as another string.
    else if (operator === '=') value = assigned || (bitsOf[kind] ? String(cell()) : text())
    yield { phandle, property, kind, offset: Number(offset), value }
  }
}

/** What a lookup table makes of `given`: `on=okay,off='not okay',=by default}`; an empty entry lets anything pass. */
function lookUp(table: string, given: string): string {
  if (!table.endsWith('}')) throw new Error('its lookup table has references, which are not emulated')
  let otherwise: string | undefined
  for (const entry of table.slice(0, -1).split(/,(?=(?:[^']*'[^']*')*[^']*$)/)) {
    const [, key = '', assigned] = /^([^=]*)(?:=(.*))?$/s.exec(entry) ?? []
    const value = assigned?.replace(/^'(.*)'$/s, '$1')
    if (key !== '' && key === given) return value ?? given
    if (key === '') otherwise ??= value ?? given
  }
  if (otherwise === undefined) throw new Error(`it does not take the value ${given}`)
  return otherwise
}

function assign(tree: Fdt, { phandle, property, kind, offset, value }: Target): void {
  const path = pathOfPhandle(tree, phandle)
  const node = path && nodeAt(tree, path)
  if (!node) throw new Error('it sets a node of another device tree')
  const { properties, name } = node
  const bits = bitsOf[kind]
  if (bits !== undefined) {
    const number = BigInt.asUintN(bits, integerOf(value))
    if (property === 'reg' && offset === 0)
      renameNode(tree, path, name.replace(/@.*/, `@${number.toString(16)}`))
    const old = properties.get(property)
    const end = offset + bits / 8
    if (property === 'reg' && (old?.length ?? 0) < end) return
    const bytes = Buffer.alloc(Math.max(old?.length ?? 0, end))
    old?.copy(bytes)
    bytes.write(number.toString(16).padStart(bits / 4, '0'), offset, 'hex')
    properties.set(property, bytes)
  } else if (kind === '[') {
    properties.set(property, Buffer.from(value.replace(/[\s:]/g, ''), 'hex'))
  } else if (kind === '?' || kind === '!') {
    if ((integerOf(value) !== 0n) === (kind === '?')) properties.set(property, Buffer.alloc(0))
    else properties.delete(property)
  } else if (property === 'name') {
    renameNode(tree, path, value)
  } else if (property === 'status') {
    properties.set(property, stringValue(statusOf(value)))
  } else if (property === 'bootargs') {
    properties.set(property, stringValue(`${stringOf(node, property) ?? ''} ${value}`.trim()))
  } else {
    properties.set(property, stringValue(value))
  }
}

/** `+1-2=3!4`: fragments 1 and 3 are applied where `value` is true, 4 where it is false, 2 never. */
function switchFragments(tree: Fdt, { property, value }: Target): void {
  for (const [, sign, number] of property.matchAll(/([-+=!])(\d+)/g)) {
    const active = sign === '+' || ((sign === '=' || sign === '!') && isOn(value) === (sign === '='))
    for (const fragment of [`/fragment@${number}`, `/fragment-${number}`]) {
      const path = `${fragment}/${active ? '__dormant__' : '__overlay__'}`
      if (nodeAt(tree, path)) renameNode(tree, path, active ? '__overlay__' : '__dormant__')
    }
  }
}

/** How the firmware reads words where a number or a switch is wanted. */
const numbers: Record<string, bigint> = { up: 2n, down: 1n }
for (const word of ['y', 'yes', 'on', 'true']) numbers[word] = 1n
for (const word of ['n', 'no', 'off', 'false']) numbers[word] = 0n

function integerOf(value: string): bigint {
  const number = numbers[value]
  if (number !== undefined) return number
  if (/^(0x[0-9a-f]+|-?\d+)$/i.test(value)) return BigInt(value)
  throw new Error(`it takes a number, not ${value}`)
}

/** Gives the `status` of a node that is switched by `value`. */
export function statusOf(value: string): string {
  if (/^(y|yes|on|true|enable|1)$/.test(value)) return 'okay'
  if (/^(n|no|off|false|0)$/.test(value)) return 'disabled'
  return value
}

/** Whether a switch is on that has this value; any text counts as on. */
export function isOn(value: string): boolean {
  try {
    return integerOf(value) !== 0n
  } catch {
    return value !== ''
  }
}
