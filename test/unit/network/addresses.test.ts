import { expect, test } from 'vitest'
import { macOf } from '../../../src/freeze/identity.ts'
import { type AddressPlanOptions, hostsLines, planAddresses } from '../../../src/network/addresses.ts'

const lab: AddressPlanOptions = {
  seed: 'run 1',
  networks: ['pxe', 'mgmt', 'ext'],
  pis: [
    { name: 'controller00', networks: ['pxe', 'mgmt', 'ext'] },
    { name: 'compute00', networks: ['mgmt', 'pxe'] },
    { name: 'outside', networks: ['ext'] },
    { name: 'alone', networks: [] },
  ],
}

test('each Pi has the same last byte on all its networks, in the order that it names them', () => {
  const plan = planAddresses(lab)
  const shown = [...plan].map(([pi, nics]) => [
    pi,
    nics.map(({ network, address, prefix }) => `${network} ${address}/${prefix}`),
  ])
  expect(shown).toEqual([
    ['controller00', ['pxe 10.77.1.11/24', 'mgmt 10.77.2.11/24', 'ext 10.77.3.11/24']],
    ['compute00', ['mgmt 10.77.2.12/24', 'pxe 10.77.1.12/24']],
    ['outside', ['ext 10.77.3.13/24']],
    ['alone', []],
  ])
})

test('MACs are the same for the same seed and names, of a range that Linux calls ethN, and no two of a lab are the same', () => {
  const macs = (options: AddressPlanOptions) =>
    [...planAddresses(options).values()].flatMap((nics) => nics.map(({ mac }) => mac))
  expect(macs(lab)).toEqual(macs({ ...lab, networks: lab.networks.toReversed() }))
  expect(macs(lab)).not.toEqual(macs({ ...lab, seed: 'run 2' }))
  for (const mac of macs(lab)) expect(mac).toMatch(/^dc:a6:32(:[\da-f]{2}){3}$/)
  expect(macs(lab).some((mac) => mac.startsWith(macOf('controller00').slice(0, 8)))).toBe(false)
  // 28,350 NICs in a range of 2^24: some pairs would meet by chance.
  const networks = Array.from({ length: 150 }, (_, index) => `net${index}`)
  const many = macs({
    networks,
    pis: Array.from({ length: 189 }, (_, index) => ({ name: `pi${index}`, networks })),
  })
  expect(new Set(many).size).toBe(189 * 150)
})

test('the hosts file has each peer by its name on the first network of both, and by network on all', () => {
  const plan = planAddresses(lab)
  expect(hostsLines(plan, 'controller00')).toEqual([
    '10.77.1.11 controller00 controller00.pxe',
    '10.77.2.11 controller00.mgmt',
    '10.77.3.11 controller00.ext',
    '10.77.1.12 compute00 compute00.pxe',
    '10.77.2.12 compute00.mgmt',
    '10.77.3.13 outside outside.ext',
  ])
  expect(hostsLines(plan, 'compute00')).toEqual([
    '10.77.2.11 controller00 controller00.mgmt',
    '10.77.1.11 controller00.pxe',
    '10.77.2.12 compute00 compute00.mgmt',
    '10.77.1.12 compute00.pxe',
  ])
  expect(hostsLines(plan, 'alone')).toEqual([])
})

test.for<[what: string, options: AddressPlanOptions, message: RegExp]>([
  [
    'an unknown network',
    { networks: ['pxe'], pis: [{ name: 'a', networks: ['mgmt'] }] },
    /^a is on the network mgmt, which there is not\.\n {2}Networks are: pxe\.$/,
  ],
  ['a network twice', { networks: ['pxe', 'pxe'], pis: [] }, /^There are two networks pxe\.$/],
  [
    'a Pi twice',
    {
      networks: [],
      pis: [
        { name: 'a', networks: [] },
        { name: 'a', networks: [] },
      ],
    },
    /^There are two Pis a\.$/,
  ],
  [
    'a network of a Pi twice',
    { networks: ['pxe'], pis: [{ name: 'a', networks: ['pxe', 'pxe'] }] },
    /^a is on the network pxe twice\.$/,
  ],
  [
    'a name with a space',
    { networks: ['my net'], pis: [] },
    /^The networks are wrong:\n.*small letters.*\n {2}→ at networks\[0\]$/,
  ],
  [
    'a name with a line break',
    { networks: [], pis: [{ name: 'a\nb', networks: [] }] },
    /→ at pis\[0\]\.name$/,
  ],
  [
    'too many Pis',
    { networks: [], pis: Array.from({ length: 190 }, (_, index) => ({ name: `pi${index}`, networks: [] })) },
    /<=189 items\n {2}→ at pis$/,
  ],
])('%s is refused', ([, options, message]) => {
  expect(() => planAddresses(options)).toThrow(
    expect.objectContaining({ kind: 'options', message: expect.stringMatching(message) }),
  )
})
