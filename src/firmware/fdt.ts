/** A node of a device tree. */
export interface FdtNode {
  /** With its unit address, `serial@7e201000`; empty for the root. */
  name: string
  properties: Map<string, Buffer>
  children: FdtNode[]
}

/** A device tree out of its blob. */
export interface Fdt {
  root: FdtNode
  /** The memory reservation block as it is, without its end. */
  reservations: Buffer
  bootCpu: number
}

const magic = 0xd00dfeed
const headerBytes = 40
const token = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 }
const nul = Buffer.alloc(1)

/**
 * Reads a device tree blob. Throws an Error where it is none.
 * https://devicetree-specification.readthedocs.io/en/stable/flattened-format.html
 */
export function parseFdt(blob: Buffer): Fdt {
  if (blob.length < headerBytes || blob.readUInt32BE(0) !== magic)
    throw new Error('it is no device tree blob')
  const [, size, structure, strings, reserved, , , bootCpu] = header(blob)
  if (blob.length < size)
    throw new Error(`it is a device tree blob cut off at ${blob.length} of ${size} bytes`)
  let at = structure
  const cell = () => {
    const value = blob.readUInt32BE(at)
    at += 4
    return value
  }
  const bytes = (count: number) => {
    const value = blob.subarray(at, at + count)
    at = aligned(at + count)
    return value
  }
  const readNode = (): FdtNode => {
    const name = textAt(blob, at)
    bytes(Buffer.byteLength(name) + 1)
    const node: FdtNode = { name, properties: new Map(), children: [] }
    for (;;) {
      const kind = cell()
      if (kind === token.endNode) return node
      if (kind === token.beginNode) node.children.push(readNode())
      else if (kind === token.property) {
        const length = cell()
        const property = textAt(blob, strings + cell())
        node.properties.set(property, Buffer.from(bytes(length)))
      } else if (kind !== token.nop) throw new Error('it is a damaged device tree blob')
    }
  }
  while (blob.readUInt32BE(at) === token.nop) at += 4
  if (cell() !== token.beginNode) throw new Error('it is a damaged device tree blob')
  const root = readNode()

  let last = reserved
  while (blob.readBigUInt64BE(last) !== 0n || blob.readBigUInt64BE(last + 8) !== 0n) last += 16
  return { root, reservations: Buffer.from(blob.subarray(reserved, last)), bootCpu }
}

/** The blob of a device tree, version 17. */
export function formatFdt({ root, reservations, bootCpu }: Fdt): Buffer {
  const names = new Map<string, number>()
  const strings: Buffer[] = []
  let stringBytes = 0
  const nameOffset = (name: string) => {
    const known = names.get(name)
    if (known !== undefined) return known
    const bytes = Buffer.from(`${name}\0`)
    names.set(name, stringBytes)
    strings.push(bytes)
    stringBytes += bytes.length
    return stringBytes - bytes.length
  }
  const parts: Buffer[] = []
  const write = (node: FdtNode) => {
    parts.push(cells(token.beginNode), padded(Buffer.from(`${node.name}\0`)))
    for (const [name, value] of node.properties) {
      parts.push(cells(token.property, value.length, nameOffset(name)), padded(value))
    }
    node.children.forEach(write)
    parts.push(cells(token.endNode))
  }
  write(root)
  const structure = Buffer.concat([...parts, cells(token.end)])
  const block = Buffer.concat([reservations, Buffer.alloc(16)])
  const structureAt = headerBytes + block.length
  const stringsAt = structureAt + structure.length
  const sizes = [stringBytes, structure.length]
  const head = cells(
    magic,
    stringsAt + stringBytes,
    structureAt,
    stringsAt,
    headerBytes,
    17,
    16,
    bootCpu,
    ...sizes,
  )
  return Buffer.concat([head, block, structure, ...strings])
}

/** The node at an absolute `path` (`/soc/serial@7e201000`), or undefined. */
export function nodeAt({ root }: Fdt, path: string): FdtNode | undefined {
  let node: FdtNode | undefined = root
  for (const name of path.split('/').filter(Boolean))
    node = node?.children.find((child) => child.name === name)
  return node
}

/** Takes the node at `path` and all below it out of the tree. Gives whether it was there. */
export function removeNode(tree: Fdt, path: string): boolean {
  const slash = path.lastIndexOf('/')
  const parent = nodeAt(tree, path.slice(0, slash))
  const index = parent?.children.findIndex(({ name }) => name === path.slice(slash + 1)) ?? -1
  if (index < 0) return false
  parent?.children.splice(index, 1)
  return true
}

/** A property that is a string, or undefined where the node lacks it. */
export function stringOf(node: FdtNode | undefined, property: string): string | undefined {
  const value = node?.properties.get(property)
  return value && textAt(value, 0)
}

/** The value of a property that is a string. */
export function stringValue(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

/** The text at `start` up to its NUL. */
export function textAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(nul, start)
  return bytes.toString('utf8', start, end < 0 ? bytes.length : end)
}

const header = (blob: Buffer) =>
  [0, 4, 8, 12, 16, 20, 24, 28].map((at) => blob.readUInt32BE(at)) as [
    ...[number, number, number, number, number, number, number, number],
  ]
const aligned = (offset: number) => (offset + 3) & ~3
const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)])
function cells(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, 4 * index)
  })
  return bytes
}
