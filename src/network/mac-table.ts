/** For how long a switch remembers where an address was, in ms: the default of IEEE 802.1D, table 7-5. */
export const ageingMs = 300_000

/**
 * How many addresses are learned behind one port. A guest that makes up addresses can take no more memory than that, and
 * no other port's place.
 */
export const mostPerPort = 1_024

/** How often a full table is searched for outdated addresses at the most, in ms. */
const sweepMs = 10_000

interface Entry<Port> {
  port: Port
  seen: number
}

/** Where a switch has last seen which address. Addresses are numbers of 48 bits, times ms of any one clock. */
export class MacTable<Port> {
  readonly #entries = new Map<number, Entry<Port>>()
  readonly #counts = new Map<Port, number>()
  #sweptAt = Number.NEGATIVE_INFINITY

  /** How many addresses are known, outdated ones included. */
  get size(): number {
    return this.#entries.size
  }

  /** Notes that `mac` is behind `port`, also where it was behind another so far. */
  learn(mac: number, port: Port, now: number): void {
    const entry = this.#entries.get(mac)
    if (entry?.port === port) {
      entry.seen = now
      return
    }
    if (entry) this.#remove(mac, entry)
    if (!this.#hasRoom(port, now)) return
    this.#entries.set(mac, { port, seen: now })
    this.#counts.set(port, this.#countOf(port) + 1)
  }

  /** The port behind which `mac` is, where that is known. */
  find(mac: number, now: number): Port | undefined {
    const entry = this.#entries.get(mac)
    if (!entry) return undefined
    if (now - entry.seen <= ageingMs) return entry.port
    this.#remove(mac, entry)
    return undefined
  }

  /** Forgets what is behind `port`, as a switch does when a link goes down. */
  forget(port: Port): void {
    for (const [mac, entry] of this.#entries) if (entry.port === port) this.#entries.delete(mac)
    this.#counts.delete(port)
  }

  #hasRoom(port: Port, now: number): boolean {
    if (this.#countOf(port) < mostPerPort) return true
    // Not for each frame of a guest that makes up addresses.
    if (now - this.#sweptAt < sweepMs) return false
    this.#sweptAt = now
    for (const [mac, entry] of this.#entries) if (now - entry.seen > ageingMs) this.#remove(mac, entry)
    return this.#countOf(port) < mostPerPort
  }

  #remove(mac: number, { port }: Entry<Port>) {
    this.#entries.delete(mac)
    this.#counts.set(port, this.#countOf(port) - 1)
  }

  #countOf(port: Port): number {
    return this.#counts.get(port) ?? 0
  }
}
