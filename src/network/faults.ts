import { type Effect, effectOf } from './effects.ts'
import { type FaultInput, type FaultName, faultOptions } from './fault-options.ts'
import { headBytes } from './framing.ts'
import { Line } from './line.ts'
import type { Port } from './port.ts'

/** A fault that lasts until it is called or disposed of; the second time does nothing. */
export type Fault = (() => void) & Disposable

/** What the faults of a segment work on. */
export interface FaultContext {
  segment: string
  seed: string | number
  ports: () => string[]
  /** Sends a frame with its head to a port at last. False where the port's queue has no room. */
  deliver: (to: Port, frame: Buffer) => boolean
  /** Hands what was delivered to the kernel. */
  flush: () => void
}

/** A frame with its head, between two ports. */
interface Flight {
  from: Port
  to: Port
  frame: Buffer
}

/** Why a frame is not there yet: until when each slow link holds it, and how many ms each delay adds. */
interface Wait {
  since: number
  slowed: ReadonlyMap<Effect, number>
  delayed?: ReadonlyMap<Effect, number>
}

type HeldFlight = Flight & { wait: Wait }

/** How much is held back for one pair of ports, or before one slow link, at the most, in bytes: 1 s of 64 Mbit/s. */
const mostHeldBytes = 8 * 2 ** 20

/**
 * The faults of one segment. What is random depends on the seed, the segment, the fault and the pair of ports alone: where
 * the same number of frames went from one port to another before, the same frame is lost, whatever goes elsewhere.
 */
export class Faults {
  readonly #context: FaultContext
  readonly #effects = new Set<Effect>()
  readonly #delayed = new Map<string, Line<HeldFlight>>()
  readonly #slowed = new Map<Port, Line<HeldFlight>>()
  /** How many faults there have been since there was none: each draws other numbers. */
  #count = 0

  constructor(context: FaultContext) {
    this.#context = context
  }

  get active(): boolean {
    return this.#effects.size > 0
  }

  /** Starts a fault. Throws a `RaspiError` where `given` is wrong. */
  start<Name extends FaultName>(name: Name, given: FaultInput<Name>): Fault {
    const { segment, seed } = this.#context
    const options = faultOptions(name, given, { segment, ports: this.#context.ports() })
    const effect = effectOf(name, options, [seed, segment, name, ++this.#count])
    this.#effects.add(effect)
    const undo = () => {
      if (!this.#effects.delete(effect)) return
      if (!this.active) this.#count = 0
      this.#redate()
    }
    return Object.assign(undo, { [Symbol.dispose]: undo })
  }

  /** Ends every fault. What was held back is sent on at once. */
  clear(): void {
    this.#effects.clear()
    this.#count = 0
    this.#redate()
  }

  /** Ends every fault, and drops what was held back. */
  close(): void {
    this.#effects.clear()
    for (const line of [...this.#slowed.values(), ...this.#delayed.values()]) line.clear()
  }

  /** Drops what is held back for a port that is no more. */
  forget(port: Port): void {
    this.#slowed.get(port)?.clear()
    this.#slowed.delete(port)
    for (const [pair, line] of this.#delayed) {
      if (!pair.split('\0').includes(port.name)) continue
      line.clear()
      this.#delayed.delete(pair)
    }
  }

  isUnplugged({ name }: Port): boolean {
    return this.active && this.#some(({ unplugs }) => unplugs?.(name)) === true
  }

  /** Until when slow links keep a frame of `bytes` that `from` sends at `now` from the switch; undefined where there is no room. */
  enter(from: Port, bytes: number, now: number): Wait | undefined {
    return this.#overLink(from, 'in', bytes, now)
  }

  /** Sends a frame that enters the switch after `entry` on to `to`. Gives how many copies of it are on their way then. */
  pass(flight: Flight, entry: Wait, now: number): number {
    const { from, to } = flight
    const cut = this.#some(({ cuts }) => cuts?.(from.name, to.name))
    // Each fault draws its number, whatever the others do with the frame: otherwise one would change which the next loses.
    let isLost = false
    let copies = 1
    const delayed = new Map<Effect, number>()
    for (const effect of this.#effects) {
      if (effect.loses?.(from.name, to.name)) isLost = true
      copies += effect.copies?.(from.name, to.name) ?? 0
      if (effect.delays) delayed.set(effect, effect.delays(from.name, to.name))
    }
    const reason = cut ?? (isLost ? 'loss' : undefined)
    if (reason) {
      to.drop(reason)
      return 0
    }
    const line = this.#delayLine(from, to)
    const wait = { ...entry, delayed }
    const due = this.#dueOf(wait)
    let sent = 0
    for (let copy = 0; copy < copies; copy++) {
      const isDue = due <= now && line.isEmpty
      if (isDue ? this.#leave(flight, now) : this.#hold(line, flight, wait)) sent++
    }
    return sent
  }

  /** The last part of the way: the link from the switch to the Pi. */
  #leave(flight: Flight, now: number): boolean {
    const { to, frame } = flight
    const exit = this.#overLink(to, 'out', frame.length - headBytes, now)
    if (!exit) {
      to.drop('rate')
      return false
    }
    const line = this.#slowLine(to)
    if (this.#dueOf(exit) <= now && line.isEmpty) return this.#context.deliver(to, frame)
    return this.#hold(line, flight, exit)
  }

  #overLink({ name }: Port, way: 'in' | 'out', bytes: number, now: number): Wait | undefined {
    const slowed = new Map<Effect, number>()
    for (const effect of this.#effects) {
      if (!effect.slows) continue
      const until = effect.slows(name, way, bytes, now)
      if (until === undefined) return undefined
      slowed.set(effect, until)
    }
    return { since: now, slowed }
  }

  /** When a wait is over, by those faults that are not undone. */
  #dueOf({ since, slowed, delayed }: Wait): number {
    let through = since
    let later = 0
    for (const effect of this.#effects) {
      through = Math.max(through, slowed.get(effect) ?? through)
      later += delayed?.get(effect) ?? 0
    }
    return through + later
  }

  #hold(line: Line<HeldFlight>, flight: Flight, wait: Wait): boolean {
    const isHeld = line.push({ ...flight, wait }, flight.frame.length, this.#dueOf(wait))
    if (!isHeld) flight.to.drop('queue')
    return isHeld
  }

  #delayLine(from: Port, to: Port): Line<HeldFlight> {
    const pair = `${from.name}\0${to.name}`
    return this.#lineIn(this.#delayed, pair, (flight) => this.#leave(flight, performance.now()))
  }

  #slowLine(to: Port): Line<HeldFlight> {
    return this.#lineIn(this.#slowed, to, (flight) => this.#context.deliver(flight.to, flight.frame))
  }

  #lineIn<Key>(
    lines: Map<Key, Line<HeldFlight>>,
    key: Key,
    goOn: (flight: Flight) => unknown,
  ): Line<HeldFlight> {
    let line = lines.get(key)
    if (!line) {
      line = new Line<HeldFlight>(mostHeldBytes, {
        // What was held back goes on only where there is still a way.
        deliver: (flight) => {
          const cut = this.#some(({ cuts }) => cuts?.(flight.from.name, flight.to.name))
          if (cut) flight.to.drop(cut)
          else goOn(flight)
        },
        delivered: this.#context.flush,
      })
      lines.set(key, line)
    }
    return line
  }

  /** Sends on what only faults that are undone held back, in its order: what has come further goes first. */
  #redate() {
    for (const line of [...this.#slowed.values(), ...this.#delayed.values()])
      line.redate(({ wait }) => this.#dueOf(wait))
  }

  #some<Found>(look: (effect: Effect) => Found | undefined): Found | undefined {
    for (const effect of this.#effects) {
      const found = look(effect)
      if (found) return found
    }
    return undefined
  }
}
