import { type FdtNode, formatFdt } from '../../../src/firmware/fdt.ts'

/** A value of a property: text, a cell, bytes, or several of them behind each other. */
export type Value = string | number | Buffer | Value[]

/** A node by its properties and children; a child is what is an object. */
export interface Tree {
  [name: string]: Value | Tree
}

/** A device tree blob of `tree`. */
export function blobOf(tree: Tree): Buffer {
  return formatFdt({ root: nodeOf('', tree), reservations: Buffer.alloc(0), bootCpu: 0 })
}

/** The tree of a node again, every value in bytes. */
export function treeOf({ properties, children }: FdtNode): Tree {
  return Object.fromEntries([...properties, ...children.map((child) => [child.name, treeOf(child)] as const)])
}

export function bytesOf(value: Value): Buffer {
  if (Array.isArray(value)) return Buffer.concat(value.map(bytesOf))
  if (typeof value === 'string') return Buffer.from(`${value}\0`)
  if (Buffer.isBuffer(value)) return value
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function nodeOf(name: string, tree: Tree): FdtNode {
  const node: FdtNode = { name, properties: new Map(), children: [] }
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'object' && !Array.isArray(value) && !Buffer.isBuffer(value)) {
      node.children.push(nodeOf(key, value))
    } else node.properties.set(key, bytesOf(value))
  }
  return node
}
