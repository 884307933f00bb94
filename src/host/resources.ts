import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { messageOf } from '../errors.ts'
import type { Check, Group } from './check.ts'
import type { HostContext } from './context.ts'

const GB = 1e9
const GiB = 2 ** 30

/** Free space that is asked for, in bytes: a frozen Pi and the cards of a run; an image with what it is made from. */
const space: Record<Exclude<Group, 'bmc' | 'dhcp'>, number> = { run: 2 * GB, build: 6 * GB }

/** Whether the cache directory can be written to and has room for what `group` puts there. */
export async function checkDisk(group: keyof typeof space, context: HostContext): Promise<Check> {
  const check = { name: 'disk', group, path: context.cacheDir }
  const dir = await nearestExisting(context.cacheDir)
  const elsewhere = 'set VITEST_RASPI_CACHE to a directory'
  try {
    if (!(await stat(dir)).isDirectory()) throw new Error(`${dir} is not a directory`)
    await access(dir, constants.W_OK | constants.X_OK)
    const free = await context.freeSpace(dir)
    const found = `${gigabytes(free)} free for ${context.cacheDir}`
    if (free >= space[group]) return { ...check, status: 'ok', found }
    return {
      ...check,
      status: 'missing',
      found: `${found}, ${gigabytes(space[group])} are needed`,
      remedy: `free ${Math.ceil((space[group] - free) / GB)} GB there, or ${elsewhere} on a larger disk`,
    }
  } catch (error) {
    const found = `the cache ${context.cacheDir} cannot be written: ${messageOf(error)}`
    return { ...check, status: 'missing', found, remedy: `${elsewhere} that is yours` }
  }
}

/**
 * Whether Pis find memory. A `raspi3b` has 1 GiB of RAM, of which QEMU takes as much as the guest touches; less than
 * 2 GiB are enough for one Pi at a time beside Vitest, less than 1 GiB for none.
 */
export function checkMemory(context: HostContext): Check {
  const available = context.availableMemory()
  const check = { name: 'memory', group: 'run', found: `${gibibytes(available)} available` } as const
  if (available >= 2 * GiB) return { ...check, status: 'ok' }
  const remedy = 'end what takes it, or give the machine or container more: a Pi wants up to 1 GiB'
  if (available >= GiB)
    return { ...check, status: 'warning', found: `${check.found}, 2 GiB are better`, remedy }
  return { ...check, status: 'missing', found: `${check.found}, 2 GiB are needed`, remedy }
}

/** How many cores there are. One is enough, but slow: QEMU emulates a Pi's four in threads of their own. */
export function checkCores({ cores }: HostContext): Check {
  const check = { name: 'cores', group: 'run', found: String(cores) } as const
  if (cores >= 2) return { ...check, status: 'ok' }
  return {
    ...check,
    status: 'warning',
    remedy: 'give the machine or container two or more: Pis boot slowly on one',
  }
}

async function nearestExisting(dir: string): Promise<string> {
  const path = resolve(dir)
  try {
    await stat(path)
    return path
  } catch {
    return dirname(path) === path ? path : nearestExisting(dirname(path))
  }
}

const gigabytes = (bytes: number) => `${rounded(bytes / GB)} GB`
const gibibytes = (bytes: number) => `${rounded(bytes / GiB)} GiB`
// Downwards: "6 GB free, 6 GB are needed" would help nobody.
const rounded = (count: number) => (count < 10 ? Math.floor(count * 10) / 10 : Math.floor(count))
