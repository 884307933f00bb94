import { RaspiError } from '../errors.ts'
import type { WantedNetworks } from '../lab/protocol.ts'
import type { HostOptions, NetworkOptions } from './test-options.ts'

/**
 * The networks of a test, as it asks the lab for them: those that `options` names come first, then those that `hosts` name.
 * None where there are none. Throws a `RaspiError` where `options` are about a network that no host is on.
 */
export function networksOf(
  hosts: Readonly<Record<string, HostOptions>>,
  options: Readonly<Partial<Record<string, NetworkOptions>>>,
  seed: string | number,
): WantedNetworks | undefined {
  const used = new Set(Object.values(hosts).flatMap(({ networks = [] }) => networks))
  const lonely = Object.keys(options).find((name) => !used.has(name))
  if (lonely !== undefined) {
    throw new RaspiError('options', `raspiTest({ networks }) tells of ${lonely}, and no host is on it.`, {
      hint: `Put hosts on it: hosts: { pi: { networks: ['${lonely}'] } }.`,
    })
  }
  const torn = Object.keys(options).find((name) => options[name]?.dhcp && options[name].addresses === false)
  if (torn !== undefined) {
    throw new RaspiError(
      'options',
      `The network ${torn} cannot have DHCP of ours and no addresses of ours.`,
      {
        hint: 'Leave `addresses` out: with `dhcp` Pis get their addresses by DHCP.',
      },
    )
  }
  if (used.size === 0) return undefined
  const names = [...new Set([...Object.keys(options), ...used])]
  return {
    seed,
    networks: names.map((name) => ({ name, ...options[name] })),
    pis: Object.entries(hosts).map(([name, host]) => ({ name, networks: [...(host.networks ?? [])] })),
  }
}
