import { expect, test } from 'vitest'
import { nodeAt, parseFdt } from '../../../src/firmware/fdt.ts'
import { setParameter } from '../../../src/firmware/parameters.ts'
import { blobOf, bytesOf, type Tree, treeOf, type Value } from './trees.ts'

/** What a declaration makes of the node it targets, whose phandle is 5. */
function set(declaration: Value, value: string, properties: Tree = {}): Tree {
  const tree = parseFdt(
    blobOf({ soc: { 'x@1': { phandle: 5, ...properties } }, __overrides__: { p: declaration } }),
  )
  setParameter(tree, 'p', value)
  const [node] = nodeAt(tree, '/soc')?.children ?? []
  if (!node) throw new Error('the node is gone')
  node.properties.delete('phandle')
  return { [node.name]: treeOf(node) }
}

test.for<[what: string, declaration: Value, value: string, before: Tree, after: Tree]>([
  ['a status is switched on', [5, 'status'], 'on', { status: 'disabled' }, { status: 'okay' }],
  ['a status is switched off', [5, 'status'], 'off', { status: 'okay' }, { status: 'disabled' }],
  ['a text is set', [5, 'trigger'], 'heartbeat', { trigger: 'mmc' }, { trigger: 'heartbeat' }],
  ['a text is made', [5, 'trigger'], 'heartbeat', {}, { trigger: 'heartbeat' }],
  ['8 bits', [5, 'v.1'], '0x7f', { v: 0x01020304 }, { v: 0x017f0304 }],
  ['16 bits', [5, 'v;2'], '258', { v: 0x01020304 }, { v: 0x01020102 }],
  ['32 bits', [5, 'v:4'], '400000', { v: [1, 2, 3] }, { v: [1, 400000, 3] }],
  ['64 bits', [5, 'v#0'], '0x100000002', { v: [0, 0] }, { v: [1, 2] }],
  ['a number below 0', [5, 'v:0'], '-1', { v: 0 }, { v: 0xffffffff }],
  ['a number longer than the property', [5, 'v:4'], '7', { v: 1 }, { v: [1, 7] }],
  ['a word for a number', [5, 'v:0'], 'up', { v: 0 }, { v: 2 }],
  ['a switch is set', [5, 'b?'], 'on', {}, { b: Buffer.alloc(0) }],
  ['a switch is unset', [5, 'b?'], 'off', { b: Buffer.alloc(0) }, {}],
  ['an inverted switch', [5, 'b!'], 'off', {}, { b: Buffer.alloc(0) }],
  ['bytes', [5, 'mac['], 'b8:27:eb 01', {}, { mac: Buffer.from('b827eb01', 'hex') }],
  ['two targets', [5, 'a:0', 5, 'b'], '3', {}, { a: 3, b: '3' }],
  ['a literal text', [5, 's=fixed'], 'on', {}, { s: 'fixed' }],
  ['a literal text behind', [5, 's=', '/soc/y', 5, 't'], 'on', {}, { s: '/soc/y', t: 'on' }],
  ['a literal number', [5, 'v:0=42'], 'on', {}, { v: 42 }],
  ['a literal cell, and another target', [5, 'v:0=', 77, 5, 'w:0'], '9', {}, { v: 77, w: 9 }],
  ['a table', [5, "s{a=alpha,b='big, b',c}"], 'b', {}, { s: 'big, b' }],
  ['a key of a table as its value', [5, "s{a=alpha,b='big, b',c}"], 'c', {}, { s: 'c' }],
  ['the default of a table', [5, 's{a=alpha,=other}'], 'z', {}, { s: 'other' }],
  ['a table that lets others pass', [5, 's{a=alpha,}'], 'z', {}, { s: 'z' }],
  [
    'kernel arguments add up',
    [5, 'bootargs{on=a=1,off=a=0}'],
    'on',
    { bootargs: 'b' },
    { bootargs: 'b a=1' },
  ],
  ['nothing', '', 'on', { s: 'as it was' }, { s: 'as it was' }],
])('a parameter sets %s', ([, declaration, value, before, after]) => {
  const expected = Object.fromEntries(
    Object.entries(after).map(([key, each]) => [key, bytesOf(each as Value)]),
  )
  expect(set(declaration, value, before)).toEqual({ 'x@1': expected })
})

test('an address is also the name of its node', () => {
  expect(set([5, 'reg:0'], '0x51', { reg: 1 })).toEqual({ 'x@51': { reg: bytesOf(0x51) } })
})

test.for<[why: string, declaration: Value, value: string]>([
  ['it takes a number, not many', [5, 'v:0'], 'many'],
  ['it does not take the value z', [5, 's{a=alpha,b}'], 'z'],
  ['it sets a node of another device tree', [0xffffffff, 's'], 'z'],
  ['its lookup table has references, which are not emulated', [5, 'target:0{0=', 1, '1=', 2, '}'], '0'],
])('%s, and says so', ([why, declaration, value]) => {
  expect(() => set(declaration, value)).toThrow(why)
})

test('a parameter that is not declared is not set', () => {
  expect(setParameter(parseFdt(blobOf({ __overrides__: { spi: [1, 'status'] } })), 'i2s', 'on')).toBe(false)
  expect(setParameter(parseFdt(blobOf({})), 'spi', 'on')).toBe(false)
})

const fragments = (operations: Value): Tree => ({
  'fragment@0': { __overlay__: {} },
  'fragment@1': { __dormant__: { 'x@1': { gpios: 0 } } },
  __symbols__: { x: '/fragment@1/__dormant__/x@1' },
  __fixups__: { gpio: ['/fragment@1/__dormant__/x@1:gpios:0', '/fragment@1:target:0'] },
  __local_fixups__: { 'fragment@1': { __dormant__: { 'x@1': { gpios: 0 } } } },
  __overrides__: { p: operations },
})
const switchedOn = (operations: string, value: string) => {
  const tree = parseFdt(blobOf(fragments([0, operations])))
  setParameter(tree, 'p', value)
  return [0, 1].map((number) => nodeAt(tree, `/fragment@${number}/__overlay__`) !== undefined)
}

test.for([
  ['+1', 'on', [true, true]],
  ['+1-0', 'on', [false, true]],
  ['=1', 'on', [true, true]],
  ['=1!0', 'on', [false, true]],
  ['=1!0', 'off', [true, false]],
  ['=1', 'any text', [true, true]],
] as const)('%s switches fragments where the parameter is %s', ([operations, value, expected]) => {
  expect(switchedOn(operations, value)).toEqual(expected)
})

test('a fragment that is switched on takes the references to it along', () => {
  const tree = parseFdt(blobOf(fragments([0, '+1'])))
  setParameter(tree, 'p', 'true')
  const text = (path: string, property: string) => nodeAt(tree, path)?.properties.get(property)?.toString()
  expect(text('/__symbols__', 'x')).toBe('/fragment@1/__overlay__/x@1\0')
  expect(text('/__fixups__', 'gpio')).toBe('/fragment@1/__overlay__/x@1:gpios:0\0/fragment@1:target:0\0')
  expect(nodeAt(tree, '/__local_fixups__/fragment@1/__overlay__/x@1')).toBeDefined()
})
