import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import type { Exported } from './export.ts'

/** A node as Bifrost's inventory has it. */
interface BifrostNode {
  name: string
  driver: 'ipmi'
  driver_info: { power: Record<string, string | number> }
  nics: { mac: string }[]
  ipv4_address?: string
  properties?: { cpu_arch: string; cpus: string; ram: string; disk_size: string }
  host_groups?: readonly string[]
}

/** What our inventories say of a host beside its connection. */
const labVarsSchema = z.object({
  raspi_bmc: z.object({ host: z.string(), port: z.number(), user: z.string(), password: z.string() }),
  raspi_networks: z
    .record(z.string(), z.object({ mac: z.string(), address: z.string().optional() }))
    .default({}),
})

/**
 * The nodes with a BMC, as in Bifrost's `baremetal.json`: in the order of their networks, with the address that they have on
 * the first. https://opendev.org/openstack/bifrost/src/branch/master/playbooks/inventory/baremetal.json.example
 * Throws a `RaspiError` where there is none.
 */
export function bifrostNodes({ hosts, groups, hardware }: Exported): Record<string, BifrostNode> {
  const nodes: Record<string, BifrostNode> = {}
  for (const [name, vars] of Object.entries(hosts)) {
    const { data } = labVarsSchema.safeParse(vars)
    if (!data) continue
    const { raspi_bmc: bmc } = data
    const nics = Object.values(data.raspi_networks)
    const [address] = nics.flatMap((nic) => nic.address ?? [])
    const own = Object.keys(groups).filter((group) => groups[group]?.hosts.includes(name))
    const parts = hardware[name]
    nodes[name] = {
      ...{ name, driver: 'ipmi' },
      driver_info: {
        power: {
          ...{ ipmi_address: bmc.host, ipmi_port: bmc.port },
          ...{ ipmi_username: bmc.user, ipmi_password: bmc.password },
          // ipmi_sim does not answer the way in which ipmitool asks for its suites.
          ipmi_cipher_suite: '3',
        },
      },
      nics: nics.map(({ mac }) => ({ mac })),
      ...(address && { ipv4_address: address }),
      ...(parts && {
        properties: {
          cpu_arch: 'aarch64',
          cpus: String(parts.cpus),
          ram: String(parts.memoryMiB),
          disk_size: String(parts.diskGiB),
        },
      }),
      ...(own.length > 0 && { host_groups: own }),
    }
  }
  if (Object.keys(nodes).length > 0) return nodes
  throw new RaspiError('lab', 'There is nothing to tell Bifrost, because no Pi has a BMC.', {
    hint: 'In a test: hosts: { compute00: { bmc: true } }. On the command line: `vitest-raspi up --bmc`.',
  })
}
