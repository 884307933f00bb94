import type { FaultName, FaultOptions } from './fault-options.ts'
import { frameBytes } from './framing.ts'
import { type Random, seededRandom } from './random.ts'
import type { DropReason } from './statistics.ts'

/** What one fault does to frames on their way between two ports; only the parts that it has. */
export interface Effect {
  /** Whether there is no way from one port to another, and why. */
  cuts?: (from: string, to: string) => DropReason | undefined
  /** Whether this frame is lost. */
  loses?: (from: string, to: string) => boolean
  /** How many copies of this frame come besides it. */
  copies?: (from: string, to: string) => number
  /** By how many ms this frame comes later. */
  delays?: (from: string, to: string) => number
  /** When a frame of so many bytes that enters or leaves by a port's link now is through; undefined where too many wait. */
  slows?: (port: string, way: 'in' | 'out', bytes: number, now: number) => number | undefined
  /** Whether the link of a port carries nothing. */
  unplugs?: (port: string) => boolean
}

/** Gives numbers for one pair of ports. */
type Dice = (from: string, to: string) => number

/** Makes what a fault does; what is random in it depends on `words` and the pair of ports alone. */
export function effectOf<Name extends FaultName>(
  name: Name,
  options: FaultOptions<Name>,
  words: (string | number)[],
): Effect {
  return makers[name](options, diceOf(words))
}

const makers: { [Name in FaultName]: (options: FaultOptions<Name>, dice: Dice) => Effect } = {
  partition: (groups) => {
    const groupOf = (port: string) => groups.findIndex((group) => group.includes(port))
    return { cuts: (from, to) => (groupOf(from) === groupOf(to) ? undefined : 'partition') }
  },
  loss: ({ percent, ...way }, dice) => ({
    loses: (from, to) => isOn(way, from, to) && dice(from, to) * 100 < percent,
  }),
  duplicate: ({ percent, ...way }, dice) => ({
    copies: (from, to) => (isOn(way, from, to) && dice(from, to) * 100 < percent ? 1 : 0),
  }),
  delay: ({ ms, jitterMs, ...way }, dice) => ({
    delays: (from, to) => {
      if (!isOn(way, from, to)) return 0
      return jitterMs === 0 ? ms : Math.max(0, ms + (dice(from, to) * 2 - 1) * jitterMs)
    },
  }),
  rate: ({ bytesPerSecond, port }) => {
    const free = { in: new Map<string, number>(), out: new Map<string, number>() }
    const most = mostWaiting(bytesPerSecond)
    return {
      slows: (name, way, bytes, now) => {
        if (port !== undefined && port !== name) return now
        const start = Math.max(now, free[way].get(name) ?? 0)
        if (((start - now) / 1_000) * bytesPerSecond + bytes > most) return undefined
        const through = start + (bytes / bytesPerSecond) * 1_000
        free[way].set(name, through)
        return through
      },
    }
  },
  unplug: (port) => ({
    cuts: (from, to) => (from === port || to === port ? 'unplugged' : undefined),
    unplugs: (name) => name === port,
  }),
}

/** How many bytes wait for a slow link: what it carries in a second, up to 256 KiB; two of the longest frames always may. */
function mostWaiting(bytesPerSecond: number): number {
  return Math.max(2 * frameBytes.most, Math.min(2 ** 18, bytesPerSecond))
}

interface Way {
  from?: string[] | undefined
  to?: string[] | undefined
}

const isOn = (way: Way, from: string, to: string) =>
  (way.from?.includes(from) ?? true) && (way.to?.includes(to) ?? true)

function diceOf(words: (string | number)[]): Dice {
  const generators = new Map<string, Random>()
  return (from, to) => {
    const pair = `${from}\0${to}`
    let random = generators.get(pair)
    if (!random) {
      random = seededRandom(...words, from, to)
      generators.set(pair, random)
    }
    return random()
  }
}
