import { expect, test } from 'vitest'
import { nicParts } from '../../../src/machine/nics.ts'

const mac = 'b8:27:eb:00:00:01'
const here = { dir: '/run/pi', segments: 'connect' } as const
const segments = [{ mac: 'dc:a6:32:00:00:01', socket: '/run/n/1' }]

test('a NIC alone is on the Pi’s port, several are on a hub there', () => {
  expect(nicParts({ parts: 'raspi' }, { mac }, here).devices).toEqual([
    { driver: 'usb-net', bus: 'usb-bus.0', port: '1', id: 'nic0', netdev: 'net0', mac },
  ])
  const { netdevs, devices } = nicParts({ parts: 'raspi' }, { mac, segments }, here)
  expect(devices.map(({ driver, port }) => [driver, port])).toEqual([
    ['usb-hub', '1'],
    ['usb-net', '1.1'],
    ['usb-net', '1.2'],
  ])
  expect(netdevs[1]).toEqual({
    ...{ type: 'stream', id: 'net1', server: false },
    addr: { type: 'unix', path: '/run/n/1' },
  })
})

test('on virt each has a slot', () => {
  const { devices } = nicParts({ parts: 'virtio' }, { mac, segments }, here)
  expect(devices.map(({ driver, bus }) => [driver, bus])).toEqual([
    ['virtio-net-pci', 'slot0'],
    ['virtio-net-pci', 'slot1'],
  ])
})

test('without the internet QEMU lets nothing out, but ssh in', () => {
  expect(nicParts({ parts: 'raspi' }, { mac, internet: false }, here).netdevs).toEqual([
    { type: 'user', id: 'net0', hostfwd: [{ str: 'tcp:127.0.0.1:0-:22' }], restrict: true },
  ])
})

test('where QEMU cannot reach a segment, it listens for it', () => {
  const { netdevs } = nicParts({ parts: 'raspi' }, { mac, segments }, { dir: '/pi', segments: 'listen' })
  expect(netdevs[1]).toEqual({
    ...{ type: 'stream', id: 'net1', server: true },
    addr: { type: 'unix', path: '/pi/net1' },
  })
})
