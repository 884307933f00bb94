import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LeaseNetworks } from '../../../src/lab/lease-networks.ts'
import type { WantedNetworks } from '../../../src/lab/protocol.ts'
import { boards } from '../../../src/machine/boards.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { broadcast, Nic } from '../network/nic.ts'

const wanted: WantedNetworks = {
  seed: 'a test',
  networks: [{ name: 'pxe', addresses: false }, { name: 'mgmt' }],
  pis: [
    { name: 'controller00', networks: ['mgmt', 'pxe'] },
    { name: 'compute00', networks: ['mgmt'] },
    { name: 'alone', networks: [] },
  ],
}

async function opened(given = wanted) {
  const networks = await LeaseNetworks.open(given, boards.raspi3b, join(scratchDir(), 'n'), () => {})
  onTestFinished(() => networks.close())
  return networks
}

async function plug(networks: LeaseNetworks, pi: string, network: string) {
  const nic = networks.of(pi)?.nics.find((each) => each.network === network)
  return Nic.connect(nic?.socket ?? '', nic?.mac)
}

test('each Pi has a NIC on each of its networks, in their order, at a socket that listens', async () => {
  const networks = await opened()
  const { nics = [], hosts } = networks.of('controller00') ?? {}
  expect(nics.map(({ mac, socket, ...nic }) => nic)).toEqual([
    { network: 'mgmt', interface: 'eth1', address: '10.77.2.11/24' },
    // Where Pis find addresses of their own they are given none.
    { network: 'pxe', interface: 'eth2' },
  ])
  expect(nics.every(({ socket }) => existsSync(socket))).toBe(true)
  expect(hosts).toContain('10.77.2.12 compute00 compute00.mgmt')
  expect(networks.of('alone')).toBeUndefined()
  await networks.close()
  expect(nics.some(({ socket }) => existsSync(socket))).toBe(false)
})

test('what is asked of a network is answered by that one', async () => {
  const networks = await opened()
  const ports = await networks.answer('pxe', { ask: 'statistics', input: undefined })
  expect(Object.keys(ports as object)).toEqual(['controller00'])
  expect(() => networks.answer('ext', { ask: 'statistics', input: undefined })).toThrow(
    'The lease has no network ext.',
  )
})

test('a Pi is on no more networks than its board has room for', async () => {
  const names = Array.from({ length: 8 }, (_, number) => `net${number}`)
  const crowded = {
    seed: 1,
    networks: names.map((name) => ({ name })),
    pis: [{ name: 'hub', networks: names }],
  }
  await expect(opened(crowded)).rejects.toThrow('hub is on 8 networks, and a raspi3b has room for 7.')
})

test('no Pi is called as the DHCP server of its network', async () => {
  const pis = [{ name: 'dhcp', networks: ['pxe'] }]
  const given = (dhcp: boolean) => ({ seed: 1, networks: [{ name: 'pxe', dhcp }], pis })
  await expect(opened(given(true))).rejects.toThrow(
    'No Pi on the network pxe can be called dhcp: its DHCP server is.',
  )
  await opened(given(false))
})

test('on networks of one seed the same frames are lost, on those of another others', async () => {
  const heardWith = async (seed: string) => {
    const networks = await opened({ ...wanted, seed })
    const speaker = await plug(networks, 'controller00', 'mgmt')
    const listener = await plug(networks, 'compute00', 'mgmt')
    listener.say(broadcast, 'hello')
    await speaker.take(1)
    const fault = await networks.answer('mgmt', { ask: 'fault', input: ['loss', { percent: 50 }] })
    speaker.say(listener, ...Array.from({ length: 200 }, (_, index) => `${index}`))
    await expect
      .poll(() => networks.answer('mgmt', { ask: 'statistics', input: undefined }))
      .toMatchObject({
        controller00: { received: { frames: 200 } },
      })
    await networks.answer('mgmt', { ask: 'undo', input: fault as number })
    speaker.say(listener, 'end')
    return listener.heardUntil('end')
  }
  const first = await heardWith('seed')
  expect(first.length).toBeLessThan(200)
  expect(await heardWith('seed')).toEqual(first)
  expect(await heardWith('other')).not.toEqual(first)
})

test('what is said on a network is heard on no other, of the same lease or of another with the same names', async () => {
  const [mine, others] = [await opened(), await opened()]
  const speaker = await plug(mine, 'controller00', 'mgmt')
  const listeners = {
    sameNetwork: await plug(mine, 'compute00', 'mgmt'),
    otherNetwork: await plug(mine, 'controller00', 'pxe'),
    otherLease: await plug(others, 'compute00', 'mgmt'),
  }
  speaker.say(broadcast, 'secret')
  speaker.say(listeners.otherLease, 'secret')
  expect(await listeners.sameNetwork.heardUntil('secret')).toEqual([])
  expect(await others.answer('mgmt', { ask: 'frames', input: {} })).toEqual([])
  expect(await mine.answer('pxe', { ask: 'frames', input: {} })).toEqual([])
  // Whatever comes next is the first that they hear.
  const second = await plug(others, 'controller00', 'mgmt')
  second.say(broadcast, 'hello')
  expect(await listeners.otherLease.heardUntil('hello')).toEqual([])
})
