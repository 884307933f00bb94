import { createHash } from 'node:crypto'
import * as z from 'zod'
import { RaspiError } from '../errors.ts'

/** A NIC of a Pi on one of its networks. */
export interface NicAddress {
  network: string
  mac: string
  /** Its IPv4 address, which no other Pi has on this network. */
  address: string
  /** How many bits of the address are the network's. */
  prefix: number
}

/** Who has which address, for all Pis of a test. */
export type AddressPlan = ReadonlyMap<string, readonly NicAddress[]>

/**
 * Networks are 10.77.1.0/24, 10.77.2.0/24 and so on, in their order. That is none of slirp's 10.0.2.0/24
 * (https://www.qemu.org/docs/master/system/devices/net.html), Docker's 172.17.0.0/16 and 192.168.0.0/16
 * (https://docs.docker.com/engine/network/), Podman's 10.88.0.0/16 and k3s's 10.42.0.0/15, which Pis may have inside.
 */
const firstBytes = '10.77'
const prefix = 24

/**
 * The last byte of the first Pi's address; the same Pi has the same one on all networks. Those below are free for what
 * Pis share (gateways, addresses that move between them), and those above {@link lastPi} for a DHCP server.
 */
const firstPi = 11
const lastPi = 199

/** The addresses of a network's DHCP server, and of those that it gives to who it does not know. */
export const dhcpAddresses = (network: number) => {
  const at = (last: number) => `${firstBytes}.${network + 1}.${last}`
  return { server: `${at(254)}/${prefix}`, range: [at(lastPi + 1), at(250)] as const }
}

/**
 * A range of Raspberry Pi Trading (https://standards-oui.ieee.org): Linux calls a USB NIC `ethN` only where its address is
 * a universal one. It is another one than that of the NIC for ssh, so that the two can never be the same.
 */
const macRange = 'dc:a6:32'

const networkName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'has to be small letters, digits and hyphens, as pxe or mgmt-2',
  )
const piName = z.string().regex(/^[\w.-]+$/, 'has to be letters, digits, dots, hyphens and underscores')

const planSchema = z.strictObject({
  /** What MACs depend on besides the names. */
  seed: z.union([z.string(), z.number()]).default(''),
  /** All networks. Their order gives their numbers. */
  networks: z.array(networkName).max(254),
  /** The Pis with the networks that each is on; their order gives their numbers, that of its networks the NICs'. */
  pis: z.array(z.strictObject({ name: piName, networks: z.array(z.string()) })).max(lastPi - firstPi + 1),
})

/** What {@link planAddresses} takes. */
export type AddressPlanOptions = z.input<typeof planSchema>

/**
 * Gives each Pi an address on each of its networks: the same for the same seed, names and order. Throws a `RaspiError`
 * where a name cannot be, comes twice, or is that of no network.
 */
export function planAddresses(options: AddressPlanOptions): AddressPlan {
  const { success, data, error } = planSchema.safeParse(options)
  if (!success) throw new RaspiError('options', `The networks are wrong:\n${z.prettifyError(error)}`)
  const { seed, networks, pis } = data
  refuseTwice(networks, (name) => `There are two networks ${name}.`)
  refuseTwice(
    pis.map(({ name }) => name),
    (name) => `There are two Pis ${name}.`,
  )
  const taken = new Set<string>()
  return new Map(
    pis.map(({ name: pi, networks: own }, index) => {
      refuseTwice(own, (network) => `${pi} is on the network ${network} twice.`)
      const nics = own.map((network) => {
        const number = networks.indexOf(network)
        if (number === -1) {
          throw new RaspiError('options', `${pi} is on the network ${network}, which there is not.`, {
            hint: networks.length > 0 ? `Networks are: ${networks.join(', ')}.` : 'There are no networks.',
          })
        }
        const address = `${firstBytes}.${number + 1}.${firstPi + index}`
        return { network, mac: newMac([seed, pi, network], taken), address, prefix }
      })
      return [pi, nics]
    }),
  )
}

/**
 * Lines of a hosts file for `pi`: each Pi that it reaches, and itself, by its name, with the address on the first of `pi`'s
 * networks that both are on; and as `<name>.<network>` on every network that both are on.
 */
export function hostsLines(plan: AddressPlan, pi: string): string[] {
  const own = plan.get(pi) ?? []
  return [...plan].flatMap(([peer, nics]) => {
    let names = [peer]
    return own.flatMap(({ network }) => {
      const nic = nics.find((each) => each.network === network)
      if (!nic) return []
      const line = [nic.address, ...names, `${peer}.${network}`].join(' ')
      names = []
      return [line]
    })
  })
}

function newMac(words: (string | number)[], taken: Set<string>): string {
  for (let attempt = 0; ; attempt++) {
    const digest = createHash('sha256')
      .update(JSON.stringify([...words, attempt]))
      .digest()
    const mac = [
      macRange,
      ...Array.from(digest.subarray(0, 3), (byte) => byte.toString(16).padStart(2, '0')),
    ].join(':')
    if (taken.has(mac)) continue
    taken.add(mac)
    return mac
  }
}

function refuseTwice(names: readonly string[], sentence: (name: string) => string): void {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new RaspiError('options', sentence(twice))
}
