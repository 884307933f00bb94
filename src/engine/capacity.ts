import { listOf } from '../host/list-of.ts'

/** What one Pi may need of the host's memory, in bytes: RSS 300-490 MB of a thawed one, more once it works. */
const bytesPerPi = 700 * 1024 * 1024

/** How many emulated Pis one core bears. */
const pisPerCore = 2

/** A host, for what it has for Pis: memory, in bytes, and cores. */
export interface HostSize {
  free: number
  cores: number
}

/** How many Pis can live at once, and why so many. */
export interface Capacity {
  pis: number
  /** Why `wanted` Pis are too many: the sum, for people. */
  explain(wanted: number): string
}

/** How many Pis a host has memory for. One Pi's room is left alone, for Ansible and for everything else. */
const byMemory = ({ free }: HostSize) => Math.max(0, Math.floor(free / bytesPerPi) - 1)

/** How many Pis a host has room for. One is always tried. */
export const roomOn = (host: HostSize) => Math.max(1, Math.min(host.cores * pisPerCore, byMemory(host)))

/** The capacity of all `hosts`; `maxPis` is the user's word. */
export function capacityOf(hosts: readonly HostSize[], maxPis?: number): Capacity {
  const rooms = hosts.map(roomOn)
  const pis = maxPis ?? rooms.reduce((sum, room) => sum + room, 0)
  return {
    pis,
    explain(wanted) {
      const one = mebibytes(bytesPerPi)
      const need = `${wanted} Pis at ${one} MiB of memory each take ${wanted * one} MiB`
      if (maxPis !== undefined) return `The plugin's maxPis is ${maxPis}. ${need}.`
      const [host, ...more] = hosts
      if (!host || more.length > 0)
        return `${need}; the Docker engines have memory and cores for ${listOf(rooms.map(String))}.`
      const { free, cores } = host
      const room = `${mebibytes(free)} MiB were free, enough for ${byMemory(host)} beside Ansible`
      return `${need}; ${room}. ${cores} ${cores === 1 ? 'core bears' : 'cores bear'} ${cores * pisPerCore} Pis.`
    },
  }
}

/**
 * How many Pis may start at once on so many cores. Where there are two, all of a Pi's cores are emulated by one thread: one
 * start leaves the other core idle.
 */
export const startsOf = (cores: number) => Math.min(cores, Math.max(2, Math.floor(cores / 2)))

/** How many Pis are kept ready on so many cores: they are made while others work. */
export const readyOf = (cores: number) => Math.max(1, Math.floor(cores / 2))

const mebibytes = (bytes: number) => Math.floor(bytes / 1024 / 1024)
