import type { Board } from './boards.ts'
import type { Place } from './place.ts'

/** The NICs of a Pi and what they are plugged into. */
export interface Nics {
  /** The address of the NIC that ssh comes by, which leads to the host's side of QEMU. */
  mac: string
  /** Whether the guest gets to the host and the world through it. @default true */
  internet?: boolean | undefined
  /** Further ones, in this order; each on a segment that listens at a unix socket of this host. */
  segments?: readonly { mac: string; socket: string }[] | undefined
}

/** QEMU's objects for them: what is plugged into which network, as arguments and for QMP alike. */
export interface NicParts {
  netdevs: { type: string; id: string; [key: string]: unknown }[]
  devices: { driver: string; [key: string]: unknown }[]
}

/** The id of the network that ssh comes by. */
const userNetwork = 'net0'

/** The slots of the board `virt`, one for each NIC. */
export const virtSlots = ['slot0', 'slot1', 'slot2', 'slot3', 'slot4']

/**
 * How many segments a Pi can be on beside the NIC that ssh comes by: a Pi has one USB port, and QEMU's hub on it eight
 * (hw/usb/dev-hub.c); `virt` has its slots.
 */
export const mostSegments = ({ parts }: Pick<Board, 'parts'>) =>
  (parts === 'raspi' ? 8 : virtSlots.length) - 1

/**
 * The parts of a Pi's NICs, in the order in which they are to be plugged in. Several share a Pi's only USB port through a
 * hub, which a Pi 3B has inside. QEMU picks the port that leads to the guest's ssh itself, so there is no race for it.
 * https://www.qemu.org/docs/master/system/devices/net.html
 */
export function nicParts(
  board: Pick<Board, 'parts'>,
  { mac, internet = true, segments = [] }: Nics,
  place: Pick<Place, 'dir' | 'segments'>,
): NicParts {
  const user = {
    type: 'user',
    id: userNetwork,
    hostfwd: [{ str: 'tcp:127.0.0.1:0-:22' }],
    ...(internet ? {} : { restrict: true }),
  }
  const streams = segments.map(({ socket }, index) => ({
    type: 'stream',
    id: `net${index + 1}`,
    ...(place.segments === 'connect'
      ? { server: false, addr: { type: 'unix', path: socket } }
      : { server: true, addr: { type: 'unix', path: segmentSocket(place, index) } }),
  }))
  const macs = [mac, ...segments.map((segment) => segment.mac)]
  const nics = macs.map((address, index) => ({
    ...plug(board, index, macs.length),
    id: `nic${index}`,
    netdev: `net${index}`,
    mac: address,
  }))
  const hub = { driver: 'usb-hub', id: 'hub0', bus: 'usb-bus.0', port: '1' }
  const needsHub = board.parts === 'raspi' && macs.length > 1
  return { netdevs: [user, ...streams], devices: needsHub ? [hub, ...nics] : nics }
}

/** Where QEMU listens for the segment of a NIC, where it cannot connect to that itself. */
export const segmentSocket = ({ dir }: Pick<Place, 'dir'>, index: number) => `${dir}/net${index + 1}`

function plug({ parts }: Pick<Board, 'parts'>, index: number, count: number) {
  if (parts === 'raspi')
    return { driver: 'usb-net', bus: 'usb-bus.0', port: count > 1 ? `1.${index + 1}` : '1' }
  // No ROM to boot from: it is in a package that need not be there.
  return { driver: 'virtio-net-pci', bus: virtSlots[index] ?? '', romfile: '' }
}
