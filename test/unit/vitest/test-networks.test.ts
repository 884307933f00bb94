import { expect, test } from 'vitest'
import { networksOf } from '../../../src/vitest/test-networks.ts'

const hosts = { boreas: { networks: ['mgmt', 'ext'] }, eurus: { networks: ['pxe', 'mgmt'] }, notus: {} }

test('networks are in the order in which they are named first, those of the options before', () => {
  expect(networksOf(hosts, {}, 7)).toEqual({
    seed: 7,
    networks: [{ name: 'mgmt' }, { name: 'ext' }, { name: 'pxe' }],
    pis: [
      { name: 'boreas', networks: ['mgmt', 'ext'] },
      { name: 'eurus', networks: ['pxe', 'mgmt'] },
      { name: 'notus', networks: [] },
    ],
  })
  const named = networksOf(hosts, { pxe: { addresses: false } }, 7)
  expect(named?.networks).toEqual([{ name: 'pxe', addresses: false }, { name: 'mgmt' }, { name: 'ext' }])
})

test('DHCP of ours gives addresses of ours', () => {
  expect(networksOf(hosts, { pxe: { dhcp: true } }, 7)?.networks[0]).toEqual({ name: 'pxe', dhcp: true })
  expect(() => networksOf(hosts, { pxe: { dhcp: true, addresses: false } }, 7)).toThrow(
    'The network pxe cannot have DHCP of ours and no addresses of ours.',
  )
})

test('Pis on no network have none, and what is told of one without Pis is refused', () => {
  expect(networksOf({ pi: {} }, {}, 7)).toBeUndefined()
  expect(() => networksOf({ pi: {} }, { mgmt: {} }, 7)).toThrow(
    'raspiTest({ networks }) tells of mgmt, and no host is on it.',
  )
})
