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

/** How much is held back for one pair of ports, or before one slow link, at the most, in bytes: 1 s of 64 Mbit/s. */
const mostHeldBytes = 8 * 2 ** 20

/**
 * The faults of one segment. What is random depends on the seed, the segment, the fault and the pair of ports alone: where
 * the same number of frames went from one port to another before, the same frame is lost, whatever goes elsewhere.
 */
export class Faults {
  readonly #context: FaultContext
  readonly #effects = new Set<Effect>()
  readonly #delayed = new Map<string, Line<Flight>>()
  readonly #slowed = new Map<Port, Line<Flight>>()
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
      if (!this.#some(({ delays, slows }) => delays ?? slows)) this.#release()
    }
    return Object.assign(undo, { [Symbol.dispose]: undo })
  }

  /** Ends every fault. What was held back is sent on at once. */
  clear(): void {
    this.#effects.clear()
    this.#count = 0
    this.#release()
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

  /** When a frame of `bytes` that `from` sends at `now` is in the switch; undefined where its slow link has no room. */
  enter(from: Port, bytes: number, now: number): number | undefined {
    return this.#overLink(from, 'in', bytes, now)
  }

  /** Sends a frame that is in the switch at `entered` on to `to`. Gives how many copies of it are on their way then. */
  pass(flight: Flight, entered: number, now: number): number {
    const { from, to } = flight
    const cut = this.#some(({ cuts }) => cuts?.(from.name, to.name))
    // Each fault draws its number, whatever the others do with the frame: otherwise one would change which the next loses.
    let isLost = false
    let copies = 1
    let due = entered
    for (const effect of this.#effects) {
      if (effect.loses?.(from.name, to.name)) isLost = true
      copies += effect.copies?.(from.name, to.name) ?? 0
      due += effect.delays?.(from.name, to.name) ?? 0
    }
    const reason = cut ?? (isLost ? 'loss' : undefined)
    if (reason) {
      to.drop(reason)
      return 0
    }
    const line = this.#delayLine(from, to)
    let sent = 0
    for (let copy = 0; copy < copies; copy++) {
      const isDue = due <= now && line.isEmpty
      if (isDue ? this.#leave(flight, now) : this.#hold(line, flight, due)) sent++
    }
    return sent
  }

  /** The last part of the way: the link from the switch to the Pi. */
  #leave(flight: Flight, now: number): boolean {
    const { to, frame } = flight
    const through = this.#overLink(to, 'out', frame.length - headBytes, now)
    if (through === undefined) {
      to.drop('rate')
      return false
    }
    const line = this.#slowLine(to)
    if (through <= now && line.isEmpty) return this.#context.deliver(to, frame)
    return this.#hold(line, flight, through)
  }

  #overLink({ name }: Port, way: 'in' | 'out', bytes: number, now: number): number | undefined {
    let through = now
    for (const { slows } of this.#effects) {
      if (!slows) continue
      const until = slows(name, way, bytes, now)
      if (until === undefined) return undefined
      through = Math.max(through, until)
    }
    return through
  }

  #hold(line: Line<Flight>, flight: Flight, due: number): boolean {
    const isHeld = line.push(flight, flight.frame.length, due)
    if (!isHeld) flight.to.drop('queue')
    return isHeld
  }

  #delayLine(from: Port, to: Port): Line<Flight> {
    const pair = `${from.name}\0${to.name}`
    return this.#lineIn(this.#delayed, pair, (flight) => this.#leave(flight, performance.now()))
  }

  #slowLine(to: Port): Line<Flight> {
    return this.#lineIn(this.#slowed, to, (flight) => this.#context.deliver(flight.to, flight.frame))
  }

  #lineIn<Key>(lines: Map<Key, Line<Flight>>, key: Key, goOn: (flight: Flight) => unknown): Line<Flight> {
    let line = lines.get(key)
    if (!line) {
      line = new Line<Flight>(mostHeldBytes, {
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

  /** Sends on what was held back, in its order: what has come further goes first. */
  #release() {
    for (const line of this.#slowed.values()) line.release()
    for (const line of this.#delayed.values()) line.release()
  }

  #some<Found>(look: (effect: Effect) => Found | undefined): Found | undefined {
    for (const effect of this.#effects) {
      const found = look(effect)
      if (found) return found
    }
    return undefined
  }
}
