import type { GuestNic } from '../freeze/guest-networks.ts'
import type { LentPi } from './protocol.ts'

/** What playbooks are told of what a Pi has in a lab beside itself: `raspi_networks` and `raspi_bmc`, as far as it has them. */
export function labVars({
  nics,
  bmc,
}: Readonly<Pick<LentPi, 'bmc'>> & { nics: readonly GuestNic[] }): Record<string, unknown> {
  const networks = nics.map(({ network, dhcp: _, ...nic }) => [
    network,
    { ...nic, address: nic.address?.split('/')[0] },
  ])
  return {
    ...(nics.length > 0 ? { raspi_networks: Object.fromEntries(networks) } : {}),
    ...(bmc ? { raspi_bmc: bmc } : {}),
  }
}
