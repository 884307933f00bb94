import { type Fdt, type FdtNode, nodeAt } from './fdt.ts'

/**
 * Renames the node at `path`, and the node wherever an overlay refers to it by its path: in `__symbols__` and
 * `__fixups__`, whose properties are lists of paths, and in `__local_fixups__`, which repeats the tree.
 * https://git.kernel.org/pub/scm/utils/dtc/dtc.git/tree/Documentation/dt-object-internal.txt
 */
export function renameNode(tree: Fdt, path: string, name: string): void {
  for (const node of [nodeAt(tree, path), nodeAt(tree, `/__local_fixups__${path}`)])
    if (node) node.name = name
  const renamed = path.replace(/[^/]+$/, () => name)
  const update = (text: string) =>
    text === path || text.startsWith(`${path}/`) || text.startsWith(`${path}:`)
      ? renamed + text.slice(path.length)
      : text
  for (const { properties } of ['/__symbols__', '/__fixups__'].flatMap((list) => nodeAt(tree, list) ?? [])) {
    for (const [key, value] of properties) {
      properties.set(key, Buffer.from(value.toString('utf8').split('\0').map(update).join('\0')))
    }
  }
}

/** The path of the node that `phandle` refers to, or undefined. */
export function pathOfPhandle({ root }: Fdt, phandle: number): string | undefined {
  const search = (node: FdtNode, path: string): string | undefined => {
    if (node.properties.get('phandle')?.readUInt32BE() === phandle) return path || '/'
    for (const child of node.children) {
      const found = search(child, `${path}/${child.name}`)
      if (found) return found
    }
  }
  return search(root, '')
}
