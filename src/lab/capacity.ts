/** What one Pi may need of the host's memory, in bytes: RSS 300-490 MB of a thawed one, more once it works. */
const bytesPerPi = 700 * 1024 * 1024

/** How many emulated Pis one core bears. */
const pisPerCore = 2

/** How many Pis can live on a host at once, and why so many. */
export interface Capacity {
  pis: number
  /** Why `wanted` Pis are too many: the sum, for people. */
  explain(wanted: number): string
}

/** The capacity of a host with so many bytes of free memory and so many cores; `maxPis` is the user's word. */
export function capacityOf(host: { free: number; cores: number }, maxPis?: number): Capacity {
  const { free, cores } = host
  // One Pi's room is left alone, for Ansible and for everything else.
  const byMemory = Math.floor(free / bytesPerPi) - 1
  const pis = maxPis ?? Math.max(1, Math.min(cores * pisPerCore, byMemory))
  return {
    pis,
    explain(wanted) {
      const one = mebibytes(bytesPerPi)
      const need = `${wanted} Pis at ${one} MiB of memory each take ${wanted * one} MiB`
      if (maxPis !== undefined) return `The plugin's maxPis is ${maxPis}. ${need}.`
      const room = `${mebibytes(free)} MiB were free, enough for ${Math.max(0, byMemory)} beside Ansible`
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
