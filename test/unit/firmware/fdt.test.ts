import { expect, test } from 'vitest'
import { formatFdt, nodeAt, parseFdt, removeNode, stringOf } from '../../../src/firmware/fdt.ts'
import { bytesOf } from './trees.ts'

/** A blob written by hand after the specification, with what dtc rarely writes: FDT_NOP and a reservation. */
function handWritten(): Buffer {
  const words = (...values: number[]) => bytesOf(values)
  const [begin, end, property, nop, stop] = [1, 2, 3, 4, 9]
  const reservations = Buffer.concat([words(0, 0x1000, 0, 0x2000), words(0, 0, 0, 0)])
  const structure = Buffer.concat([
    ...[words(nop, begin), Buffer.from('\0\0\0\0')],
    ...[words(property, 6, 0), Buffer.from('Pi 3B\0\0\0')],
    ...[words(begin), Buffer.from('soc\0')],
    ...[words(begin), Buffer.from('serial@7e201000\0')],
    ...[words(property, 4, 6, 0xcafe, nop)],
    ...[words(begin), Buffer.from('bluetooth\0\0\0'), words(property, 0, 10, end)],
    ...[words(end), words(begin), Buffer.from('rng@0\0\0\0'), words(end), words(end), words(end, stop)],
  ])
  const strings = Buffer.from('model\0reg\0on\0')
  const structureAt = 40 + reservations.length
  const stringsAt = structureAt + structure.length
  const size = stringsAt + strings.length
  const head = words(
    0xd00dfeed,
    size,
    structureAt,
    stringsAt,
    40,
    17,
    16,
    2,
    strings.length,
    structure.length,
  )
  return Buffer.concat([head, reservations, structure, strings])
}

test('a blob is read: nodes, properties, reservations and the boot CPU', () => {
  const tree = parseFdt(handWritten())
  expect(stringOf(tree.root, 'model')).toBe('Pi 3B')
  const serial = nodeAt(tree, '/soc/serial@7e201000')
  expect(serial?.properties.get('reg')).toEqual(Buffer.from('0000cafe', 'hex'))
  expect(serial?.children.map(({ name }) => name)).toEqual(['bluetooth'])
  expect(nodeAt(tree, '/soc/serial@7e201000/bluetooth')?.properties.get('on')).toEqual(Buffer.alloc(0))
  expect(tree.reservations.readBigUInt64BE(8)).toBe(0x2000n)
  expect(tree.reservations).toHaveLength(16)
  expect(tree.bootCpu).toBe(2)
})

test('what is written is what was read', () => {
  const tree = parseFdt(handWritten())
  expect(parseFdt(formatFdt(tree))).toEqual(tree)
})

test('the header tells sizes and places as the specification wants them', () => {
  const blob = formatFdt(parseFdt(handWritten()))
  const [, size, structureAt, stringsAt, reservedAt, version, oldest, cpu, stringBytes, structureBytes] =
    Array.from({ length: 10 }, (_, index) => blob.readUInt32BE(4 * index))
  expect(size).toBe(blob.length)
  expect([reservedAt, version, oldest, cpu]).toEqual([40, 17, 16, 2])
  expect(structureAt).toBe(40 + 32)
  expect(stringsAt).toBe(Number(structureAt) + Number(structureBytes))
  expect(Number(stringsAt) + Number(stringBytes)).toBe(size)
  expect(blob.readUInt32BE(Number(stringsAt) - 4)).toBe(9)
})

test('a node is removed with all below it, and nothing else', () => {
  const tree = parseFdt(handWritten())
  expect(removeNode(tree, '/soc/serial@7e201000/bluetooth')).toBe(true)
  const again = parseFdt(formatFdt(tree))
  expect(nodeAt(again, '/soc/serial@7e201000/bluetooth')).toBeUndefined()
  expect(nodeAt(again, '/soc/serial@7e201000')?.properties.get('reg')).toHaveLength(4)
  expect(nodeAt(again, '/soc/rng@0')).toBeDefined()
})

test('a node that is not there is not removed', () => {
  const tree = parseFdt(handWritten())
  expect(removeNode(tree, '/soc/serial@7e215040/bluetooth')).toBe(false)
  expect(removeNode(tree, '/soc/bluetooth')).toBe(false)
  expect(tree).toEqual(parseFdt(handWritten()))
})

test.for([
  ['text', Buffer.from('arm_64bit=1\n'.repeat(10)), 'it is no device tree blob'],
  ['nothing', Buffer.alloc(0), 'it is no device tree blob'],
  ['half a blob', handWritten().subarray(0, 120), /cut off at 120 of \d+ bytes/],
] as const)('%s is no device tree', ([, blob, message]) => {
  expect(() => parseFdt(blob)).toThrow(message)
})

test('a blob with a token that there is not is damaged', () => {
  const blob = handWritten()
  blob.writeUInt32BE(7, 40 + 32 + 12)
  expect(() => parseFdt(blob)).toThrow('it is a damaged device tree blob')
})
