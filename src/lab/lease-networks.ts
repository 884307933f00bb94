import { join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { macOf } from '../freeze/identity.ts'
import type { Log } from '../host/progress.ts'
import { assertNeeds, requirementsFor } from '../host/requirements.ts'
import type { Board } from '../machine/boards.ts'
import { mostSegments } from '../machine/nics.ts'
import { type AddressPlan, dhcpAddresses, hostsLines, planAddresses } from '../network/addresses.ts'
import { SegmentCalls, type SegmentRequest } from '../network/calls.ts'
import { type DhcpServer, serveDhcp } from '../network/dhcp.ts'
import { Segment } from '../network/segment.ts'
import type { PiNetworks } from './live-pi.ts'
import type { WantedNetworks } from './protocol.ts'

/** What the DHCP server of a network is called there. */
const dhcpPort = 'dhcp'

/** The networks of a lease, which live as long as it does: nobody else's Pis are on them. */
export class LeaseNetworks {
  readonly #plan: AddressPlan
  readonly #wanted: WantedNetworks
  readonly #segments = new Map<string, { segment: Segment; calls: SegmentCalls }>()
  readonly #paths = new Map<string, string>()
  readonly #dhcp: DhcpServer[] = []

  private constructor(wanted: WantedNetworks, plan: AddressPlan) {
    this.#wanted = wanted
    this.#plan = plan
  }

  /**
   * Opens the networks that Pis of `board` are to be on, with their sockets in `dir`. Throws a `RaspiError` where a Pi is
   * on more networks than the board has room for, or on one that there is not, or is called as its DHCP server; and where one is
   * to have DHCP that this host cannot give it.
   */
  static async open(wanted: WantedNetworks, board: Board, dir: string, log: Log): Promise<LeaseNetworks> {
    const { seed, networks, pis } = wanted
    const plan = planAddresses({ seed, networks: networks.map(({ name }) => name), pis })
    const most = mostSegments(board)
    const crowded = pis.find((pi) => pi.networks.length > most)
    if (crowded) {
      throw new RaspiError(
        'options',
        `${crowded.name} is on ${crowded.networks.length} networks, and a ${board.name} has room for ${most}.`,
      )
    }
    const given = networks.filter(({ dhcp }) => dhcp).map(({ name }) => name)
    const namesake = pis.find((pi) => pi.name === dhcpPort)?.networks.find((name) => given.includes(name))
    if (namesake !== undefined) {
      throw new RaspiError(
        'options',
        `No Pi on the network ${namesake} can be called ${dhcpPort}: its DHCP server is.`,
        { hint: 'Give the Pi another name, or the network no DHCP.' },
      )
    }
    const made = new LeaseNetworks(wanted, plan)
    try {
      for (const { name } of networks) {
        const segment = Segment.open({ name, dir, seed, log })
        made.#segments.set(name, { segment, calls: new SegmentCalls(segment) })
      }
      for (const [pi, nics] of plan) {
        for (const { network } of nics) {
          const port = await made.#segments.get(network)?.segment.port(pi)
          if (port) made.#paths.set(join(pi, network), port.path)
        }
      }
      await made.#serveDhcp(dir, log)
      return made
    } catch (error) {
      await made.close()
      throw error
    }
  }

  /** Those of a Pi, as it is to be started with; nothing where it is on none. */
  of(pi: string): PiNetworks | undefined {
    const nics = this.#plan.get(pi) ?? []
    if (nics.length === 0) return undefined
    return {
      nics: nics.map(({ network, mac, address, prefix }, index) => {
        const { addresses, dhcp } = this.#wanted.networks.find(({ name }) => name === network) ?? {}
        return {
          ...{ network, mac, interface: `eth${index + 1}` },
          ...(addresses === false ? {} : { address: `${address}/${prefix}` }),
          ...(dhcp && { dhcp }),
          socket: this.#paths.get(join(pi, network)) ?? '',
        }
      }),
      hosts: hostsLines(this.#plan, pi),
    }
  }

  /** Does what is asked of a network. Throws a `RaspiError` where there is none of that name. */
  answer(network: string, request: SegmentRequest): Promise<unknown> {
    const found = this.#segments.get(network)
    if (!found) throw new RaspiError('lab', `The lease has no network ${network}.`)
    return found.calls.answer(request)
  }

  /** Has a DHCP server on each network that is to have one; it gives each Pi the address of the plan. */
  async #serveDhcp(dir: string, log: Log): Promise<void> {
    const { networks } = this.#wanted
    if (!networks.some(({ dhcp }) => dhcp)) return
    const [found] = await assertNeeds(requirementsFor('dhcp'))
    for (const [number, { name, dhcp }] of networks.entries()) {
      const segment = this.#segments.get(name)?.segment
      if (!dhcp || !segment) continue
      const { server: address, range } = dhcpAddresses(number)
      const options = {
        ...{ network: name, socket: (await segment.port(dhcpPort)).path, dir: join(dir, `dhcp-${number}`) },
        ...{ dnsmasq: found?.path ?? 'dnsmasq', mac: macOf(`dhcp of ${name}`), address, range },
        hosts: [...this.#plan.values()].flat().filter(({ network }) => network === name),
        log: (line: string) => log(`Network ${name}: ${line}`),
      }
      this.#dhcp.push(await serveDhcp(options))
    }
  }

  /** Ends them, and what they hold. */
  async close(): Promise<void> {
    await Promise.all(this.#dhcp.map((server) => server.close()))
    await Promise.all([...this.#segments.values()].map(({ segment }) => segment.close()))
  }
}
