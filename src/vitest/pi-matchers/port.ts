import { isIP, SocketAddress } from 'node:net'
import type { Listener } from '../../pi/probes/queries.ts'
import { wrongArgument } from '../matcher-arguments.ts'
import { piMatcher } from './pi-matcher.ts'
import { including, judgeNearest, list, type Pattern, value } from './verdict.ts'

/** What `toListenOn` may expect of a listener. */
export interface ListenExpectation {
  /** @default 'tcp' */
  protocol?: 'tcp' | 'udp'
  /** The address it is bound to: '127.0.0.1', '0.0.0.0' for every IPv4 one, '::' for every one. */
  address?: string
  /** The name of the process, or of its program. */
  process?: Pattern
}

const name = 'toListenOn'

export const toListenOn = piMatcher(name, {
  options: ['protocol', 'address', 'process'],
  queries: (port: number, { protocol = 'tcp', address, process }: ListenExpectation = {}) => {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw wrongArgument(name, `${port} is no port`, 'Give a number from 1 to 65535.')
    }
    normal(address)
    return [{ kind: 'port', port, protocol, process: process !== undefined }]
  },
  judge: ([{ listeners }], port, { protocol = 'tcp', address, process }: ListenExpectation = {}) => {
    const here = listeners.filter((listener) => listener.port === port)
    const none = `nothing listens on ${protocol} port ${port}`
    return judgeNearest(
      here,
      {
        there: here.length > 0,
        wanted: `a listener on ${protocol} port ${port}`,
        found: here.map(describe).join('; ') || none,
        none,
      },
      (listener) => [
        value('address', normal(address), listener.address),
        typeof process === 'string'
          ? including('process', [process], listener.processes)
          : value('process', process, listener.processes?.join(', ')),
      ],
      list(
        here.length > 1 ? 'Listeners on that port' : `What listens on ${protocol}`,
        others(here, listeners),
      ),
    )
  },
})

function others(here: Listener[], all: Listener[]): string[] {
  if (here.length === 1) return []
  const shown = here.length > 1 ? here : all.toSorted((a, b) => a.port - b.port)
  return shown.map(describe)
}

function describe({ address, port, processes }: Listener): string {
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return processes?.length ? `${where} ${processes.join(', ')}` : where
}

/** An IPv6 address has many spellings; the Pi tells the shortest. */
function normal(address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  const family = isIP(address)
  if (family === 6) return new SocketAddress({ address, family: 'ipv6' }).address
  if (family === 4) return address
  throw wrongArgument(
    name,
    `"${address}" is no IP address`,
    'Give the address it is bound to, such as "127.0.0.1" or "::".',
  )
}
