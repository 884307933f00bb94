import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { frameContent } from '../../../src/network/frame-summary.ts'
import { seededRandom } from '../../../src/network/random.ts'
import { broadcast, ethernet, pis, taken } from './nic.ts'

const [a, b] = ['b8:27:eb:00:00:01', 'b8:27:eb:00:00:02']
const hex = (...text: string[]) => Buffer.from(text.join('').replaceAll(/[ :]/g, ''), 'hex')
const ipv4 = (protocol: string, rest: string, fragment = '0000') =>
  ethernet(b, a, 0x0800, hex('45 00 0000 0000', fragment, '40', protocol, '0000 0a4d010b 0a4d010c', rest))
const ipv6 = (next: string, rest: string) =>
  ethernet(
    b,
    a,
    0x86dd,
    hex(
      '60000000 0000',
      next,
      'ff fe80:0000:0000:0000:0000:0000:0000:0001 ff02:0000:0000:0000:0000:0001:ff00:000c',
      rest,
    ),
  )

const v4 = { sourceAddress: '10.77.1.11', destinationAddress: '10.77.1.12' }
const v6 = { sourceAddress: 'fe80::1', destinationAddress: 'ff02::1:ff00:c' }

test.for<[what: string, frame: Buffer, content: object]>([
  [
    'TCP',
    ipv4('06', '0016 c000 00000000'),
    { ...v4, etherType: 0x0800, protocol: 'tcp', sourcePort: 22, destinationPort: 49_152 },
  ],
  ['UDP', ipv4('11', '0043 0044 0000 0000'), { ...v4, protocol: 'udp', sourcePort: 67, destinationPort: 68 }],
  ['ICMP', ipv4('01', '0800 0000 0000'), { ...v4, protocol: 'icmp' }],
  ['VRRP', ipv4('70', '21 01 64 01'), { ...v4, protocol: 'vrrp' }],
  ['a protocol without a name', ipv4('fe', '0016 c000'), { ...v4 }],
  ['a later fragment', ipv4('11', '0043 0044', '0020'), { ...v4, protocol: 'udp' }],
  [
    'a first fragment',
    ipv4('11', '0043 0044', '2000'),
    { ...v4, protocol: 'udp', sourcePort: 67, destinationPort: 68 },
  ],
  [
    'IP options',
    ethernet(b, a, 0x0800, hex('46 00 0000 0000 0000 40 11 0000 0a4d010b 0a4d010c 94040000 0043 0044')),
    { ...v4, protocol: 'udp', sourcePort: 67, destinationPort: 68 },
  ],
  ['ICMPv6', ipv6('3a', '8700 0000'), { ...v6, etherType: 0x86dd, protocol: 'icmpv6' }],
  [
    'IPv6 with further headers',
    ipv6('00', '3c 00 0502 0000 0000 06 00 0104 0000 0000 0050 d000'),
    { ...v6, protocol: 'tcp', sourcePort: 80, destinationPort: 0xd000 },
  ],
  ['a later fragment of IPv6', ipv6('2c', '11 00 0009 00000001 0043 0044'), { ...v6, protocol: 'udp' }],
  [
    'a header that a fragment begins with by chance',
    ipv6('2c', '3c 00 0009 00000001 11 00 0000 0000 0000 0043 0044'),
    { ...v6 },
  ],
  [
    'ARP',
    ethernet(broadcast, a, 0x0806, hex('0001 0800 06 04 0001', a, '0a4d010b 000000000000 0a4d010c')),
    { ...v4, etherType: 0x0806, protocol: 'arp' },
  ],
  [
    'a VLAN',
    ethernet(b, a, 0x8100, hex('a00c 0800 45 00 0000 0000 0000 40 06 0000 0a4d010b 0a4d010c 0016 c000')),
    { ...v4, vlan: 12, etherType: 0x0800, protocol: 'tcp', sourcePort: 22, destinationPort: 49_152 },
  ],
  ['a VLAN in a VLAN', ethernet(b, a, 0x88a8, hex('0064 8100 0005 88b5')), { vlan: 100, etherType: 0x88b5 }],
  ['an unknown type', ethernet(b, a, 0x88b5, hex('00')), { etherType: 0x88b5 }],
  ['a header alone', ethernet(b, a, 0x0800, hex('')), { etherType: 0x0800 }],
])('%s is told', ([, frame, content]) => {
  const told = frameContent(frame)
  expect(told).toMatchObject({ source: a, length: frame.length, ...content })
  expect(Object.keys(told).sort()).toEqual(
    [...new Set(['source', 'destination', 'length', 'etherType', ...Object.keys(content)])].sort(),
  )
})

test('whatever is in a frame, and wherever it is cut off, it is told without an error', () => {
  const random = seededRandom('frames', 1)
  const below = (most: number) => Math.floor(random() * most)
  const samples = [
    ipv4('06', '0016 c000 0000'),
    ipv6('00', '3c 00 0502 0000 0000 06 00 0104 0000 0000 0050 d000'),
    ipv6('33', '2c 04 0000 0000 0000 0000 0000 11 00 0000 0000 0001 0043 0044'),
    ethernet(b, a, 0x0806, hex('0001 0800 06 04 0001', a, '0a4d010b 000000000000 0a4d010c')),
    ethernet(b, a, 0x8100, hex('000c 8100 000d 88a8 000e 86dd 6000')),
  ]
  let withPorts = 0
  for (let input = 0; input < 100_000; input++) {
    const frame = Buffer.from(samples[below(samples.length)] as Buffer)
    for (let change = below(4); change > 0; change--) frame[12 + below(frame.length - 12)] = below(256)
    const cut = frame.subarray(0, 14 + below(frame.length - 13))
    const { length, sourcePort } = frameContent(cut)
    if (length !== cut.length) expect.fail(`${cut.toString('hex')} is told to be ${length} bytes long.`)
    if (sourcePort !== undefined) withPorts++
  }
  expect(withPorts).toBeGreaterThan(1_000)
})

test('frames are found by where they came from, where they went, and what they say', async () => {
  const { nics, segment } = await pis(['a', 'b', 'c'])
  // The introductions are of an earlier millisecond.
  await wait(5)
  const before = Date.now()
  nics.a.send(ipv4('06', '0016 c000 00000000'), ipv4('11', '0035 c001 0000 0000'), ipv6('3a', '8700 0000'))
  nics.b.say(broadcast, 'all')
  await nics.a.heardUntil('all')
  await taken(segment, 'a', 4)
  const lost = segment.loss({ percent: 100, from: 'c', to: 'a' })
  nics.c.say(broadcast, 'half')
  await taken(segment, 'c', 2)
  lost()

  expect(segment.frames({ protocol: 'tcp' })).toEqual([
    {
      ...{
        at: expect.any(Number),
        from: 'a',
        to: ['b'],
        source: a,
        destination: b,
        length: 42,
        etherType: 0x0800,
      },
      ...{ ...v4, protocol: 'tcp', sourcePort: 22, destinationPort: 49_152 },
    },
  ])
  const protocols = (...filter: Parameters<typeof segment.frames>) =>
    segment.frames(...filter).map(({ protocol }) => protocol)
  expect(protocols({ protocol: ['tcp', 'icmpv6'], from: 'a', to: 'b' })).toEqual(['tcp', 'icmpv6'])
  expect(protocols({ to: 'c', protocol: ['tcp', 'udp'] })).toEqual([])
  expect(protocols({ port: 53 })).toEqual(['udp'])
  expect(protocols({ sourcePort: 22, destinationPort: [1, 49_152] })).toEqual(['tcp'])
  expect(protocols({ destinationPort: 22 })).toEqual([])
  expect(protocols({ address: ['FE80:0:0::1', '10.1.1.1'] })).toEqual(['icmpv6'])
  expect(protocols({ destinationAddress: '10.77.1.12' })).toEqual(['tcp', 'udp'])
  expect(protocols({ sourceAddress: '10.77.1.12' })).toEqual([])
  expect(segment.frames({ vlan: 1 })).toEqual([])
  expect(
    segment.frames({ etherType: 0x88b5, destination: broadcast.toUpperCase(), since: before }),
  ).toMatchObject([
    { from: 'b', to: ['a', 'c'] },
    { from: 'c', to: ['b'] },
  ])
  expect(segment.frames({ since: Date.now() + 1_000 })).toEqual([])
  expect(segment.frames()).toHaveLength(8)
})

test('what is forgotten is not taken for what has not been', async () => {
  const { nics, segment } = await pis(['a', 'b'], { recentBytes: 20_000 })
  const since = Date.now()
  expect(segment.frames({ since, from: 'a' })).toBeInstanceOf(Array)
  nics.a.say(nics.b, ...Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(980)}`))
  await nics.b.take(100)
  expect(() => segment.frames({ since })).toThrow(
    /^Not all frames of the network pxe since then are remembered: those of the first \d+ ms are not\.\n {2}Ask sooner/,
  )
  const remembered = segment.frames()
  expect(remembered.reduce((bytes, { length }) => bytes + length + 4, 0)).toBeLessThanOrEqual(20_000)
  expect(segment.frames({ since: Date.now() + 1 })).toEqual([])
})

test('a wrong filter is refused, so that it cannot find nothing by mistake', async () => {
  const { segment } = await pis(['a', 'b'])
  const called = 'frames() of the network pxe'
  expect(() => segment.frames({ from: 'd' })).toThrow(
    `${called} names d, which has no port there.\n  Ports are: a, b.`,
  )
  expect(() => segment.frames({ address: '10.77.1.300' })).toThrow(`${called} was called wrongly:\n`)
  expect(() => segment.frames({ source: 'b8-27-eb-00-00-01' })).toThrow(`${called} was called wrongly:\n`)
  // @ts-expect-error there is no such protocol
  expect(() => segment.frames({ protocol: 'http' })).toThrow(`${called} was called wrongly:\n`)
  // @ts-expect-error there is no such option
  expect(() => segment.frames({ sourceport: 22 })).toThrow(/Unrecognized key: "sourceport"/)
})
