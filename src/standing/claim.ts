import { once } from 'node:events'
import { createServer } from 'node:net'
import type { BoardOption } from '../board-option.ts'
import { RaspiError } from '../errors.ts'
import { listOf } from '../host/list-of.ts'
import type { ImageOption } from '../image-option.ts'
import { freeNames } from './names.ts'
import type { StandingRequest, WantedStanding } from './protocol.ts'
import { isStanding, type LabEntry, type Registry } from './registry.ts'

/** A Pi with a name and an ssh port that no other standing lab of the user has. */
export interface ClaimedPi extends WantedStanding {
  sshPort: number
  image: ImageOption
  board: BoardOption
}

/**
 * Chooses names and ssh ports for the Pis of `request`, and writes `entry` down with them before another process can choose the
 * same. What tools read of labs that no longer stand is gone then. Throws a `RaspiError` where a name is taken.
 */
export async function claim(
  { pis, firstPort }: Pick<StandingRequest, 'pis' | 'firstPort'>,
  registry: Registry,
  entry: Omit<LabEntry, 'pis'>,
): Promise<ClaimedPi[]> {
  return registry.exclusively(async () => {
    registry.removeDeadParts()
    const others = registry
      .entries()
      .filter(isStanding)
      .flatMap((lab) => lab.pis)
    const taken = new Set(others.map(({ name }) => name))
    const wanted =
      typeof pis === 'number'
        ? freeNames(pis, taken).map((name) => ({ name, hostname: name, groups: [], vars: {} }))
        : pis
    const twice = wanted.filter(({ name }) => taken.has(name)).map(({ name }) => name)
    if (twice.length > 0) {
      throw new RaspiError('lab', `${listOf(twice)} ${twice.length === 1 ? 'is' : 'are'} up already.`, {
        hint: `\`vitest-raspi reset ${twice[0]}\` makes it fresh, \`vitest-raspi down ${twice[0]}\` ends it.`,
      })
    }
    const ports = await freePorts(wanted.length, firstPort, new Set(others.map(({ sshPort }) => sshPort)))
    const { image, board } = entry
    const claimed = wanted.map((pi, index) => ({ ...pi, sshPort: ports[index] as number, image, board }))
    registry.write({ ...entry, pis: claimed.map(({ name, sshPort }) => ({ name, sshPort })) })
    return claimed
  })
}

/** The first `count` ports of 127.0.0.1 from `first` on that nobody listens on, in order. */
export async function freePorts(count: number, first: number, taken: ReadonlySet<number>): Promise<number[]> {
  const ports: number[] = []
  for (let port = first; ports.length < count; port++) {
    if (port > 65_535) {
      throw new RaspiError('lab', `Only ${ports.length} of ${count} ports from ${first} on are free.`, {
        hint: 'Choose a lower one with --ssh-port.',
      })
    }
    if (!taken.has(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
