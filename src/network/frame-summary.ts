import { ipv4At, ipv6At, macAt } from './notation.ts'

/** https://www.iana.org/assignments/protocol-numbers */
const protocolNumbers = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  icmpv6: 58,
  ospf: 89,
  vrrp: 112,
  sctp: 132,
} as const

/** The protocols that are told by name. */
export const frameProtocols = [
  'arp',
  ...(Object.keys(protocolNumbers) as (keyof typeof protocolNumbers)[]),
] as const

/** See {@link frameProtocols}. */
export type FrameProtocol = (typeof frameProtocols)[number]

/** What a frame says of itself. What it has not, or is cut off before, is not there. */
export interface FrameContent {
  /** Bytes, without preamble and checksum. */
  length: number
  /** The Ethernet address of the NIC that it comes from. */
  source: string
  /** The Ethernet address that it is for. */
  destination: string
  /** What it carries, as 0x0800 for IPv4; below 0x0600 the length of an IEEE 802.3 frame. VLAN tags are looked through. */
  etherType: number
  /** The outermost VLAN. */
  vlan?: number
  /** IPv4 or IPv6 addresses, the latter in their short form; of ARP the sender's and the one asked for. */
  sourceAddress?: string
  destinationAddress?: string
  /** The innermost protocol that has a name here. */
  protocol?: FrameProtocol
  /** Of TCP, UDP and SCTP; only in the first fragment of a packet. */
  sourcePort?: number
  destinationPort?: number
}

const etherTypes = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const
/** IEEE 802.1Q and 802.1ad. */
const vlanTags = [0x8100, 0x88a8]
/** Headers of IPv6 that lead on to another: hop-by-hop, routing, fragment, authentication, destination options. */
const extensions = { hopByHop: 0, routing: 43, fragment: 44, authentication: 51, destination: 60 } as const

const nameOf = new Map<number, FrameProtocol>(
  Object.entries(protocolNumbers).map(([name, number]) => [number, name as FrameProtocol]),
)
const withPorts: (FrameProtocol | undefined)[] = ['tcp', 'udp', 'sctp']

/** Reads what a frame of at least 14 bytes says. Never throws, whatever is in it. */
export function frameContent(frame: Buffer): FrameContent {
  let at = 12
  let etherType = frame.readUInt16BE(at)
  let vlan: number | undefined
  while (vlanTags.includes(etherType) && at + 6 <= frame.length) {
    vlan ??= frame.readUInt16BE(at + 2) & 0xfff
    at += 4
    etherType = frame.readUInt16BE(at)
  }
  return {
    length: frame.length,
    source: macAt(frame, 6),
    destination: macAt(frame, 0),
    etherType,
    ...(vlan !== undefined && { vlan }),
    ...packetContent(etherType, frame.subarray(at + 2)),
  }
}

type PacketContent = Pick<
  FrameContent,
  'sourceAddress' | 'destinationAddress' | 'protocol' | 'sourcePort' | 'destinationPort'
>

function packetContent(etherType: number, packet: Buffer): PacketContent {
  if (etherType === etherTypes.arp) return arpContent(packet)
  if (etherType === etherTypes.ipv4) return ipv4Content(packet)
  if (etherType === etherTypes.ipv6) return ipv6Content(packet)
  return {}
}

/** https://www.rfc-editor.org/rfc/rfc826 */
function arpContent(packet: Buffer): PacketContent {
  const isForIpv4 = packet.length >= 28 && packet.readUInt16BE(2) === etherTypes.ipv4 && packet[5] === 4
  if (!isForIpv4) return { protocol: 'arp' }
  return { protocol: 'arp', sourceAddress: ipv4At(packet, 14), destinationAddress: ipv4At(packet, 24) }
}

/** https://www.rfc-editor.org/rfc/rfc791#section-3.1 */
function ipv4Content(packet: Buffer): PacketContent {
  const headLength = ((packet[0] ?? 0) & 15) * 4
  if (packet.length < 20 || headLength < 20 || (packet[0] ?? 0) >> 4 !== 4) return {}
  const isFirst = (packet.readUInt16BE(6) & 0x1fff) === 0
  return {
    sourceAddress: ipv4At(packet, 12),
    destinationAddress: ipv4At(packet, 16),
    ...transportContent(packet[9], isFirst, packet.subarray(headLength)),
  }
}

/** https://www.rfc-editor.org/rfc/rfc8200#section-4 */
function ipv6Content(packet: Buffer): PacketContent {
  if (packet.length < 40 || (packet[0] ?? 0) >> 4 !== 6) return {}
  let next = packet[6]
  let at = 40
  let isFirst = true
  while (isExtension(next) && at + 8 <= packet.length) {
    const length = packet[at + 1] ?? 0
    if (next === extensions.fragment) {
      isFirst = packet.readUInt16BE(at + 2) >> 3 === 0
      next = packet[at]
      at += 8
      // What follows in later fragments is no header.
      if (!isFirst) break
    } else {
      const bytes = next === extensions.authentication ? (length + 2) * 4 : (length + 1) * 8
      next = packet[at]
      at += bytes
    }
  }
  return {
    sourceAddress: ipv6At(packet, 8),
    destinationAddress: ipv6At(packet, 24),
    ...transportContent(next, isFirst, packet.subarray(at)),
  }
}

const isExtension = (next: number | undefined) => Object.values<unknown>(extensions).includes(next)

function transportContent(number: number | undefined, isFirst: boolean, segment: Buffer): PacketContent {
  const protocol = nameOf.get(number ?? -1)
  if (!protocol) return {}
  if (!isFirst || segment.length < 4 || !withPorts.includes(protocol)) return { protocol }
  return { protocol, sourcePort: segment.readUInt16BE(0), destinationPort: segment.readUInt16BE(2) }
}
