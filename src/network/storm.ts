/** How much may come from a port for many: broadcasts, multicasts, and frames to addresses that are not known. */
export interface StormLimit {
  /** Frames a second in the long run. */
  perSecond: number
  /** Frames at once, after a time of rest. */
  burst: number
}

/**
 * Far more than ARP, DHCP, mDNS and VRRP of a Pi need, and a scan of a /21 at once; few enough that a loop in one guest
 * does not take the processor from all.
 */
export const defaultStormLimit: StormLimit = { perSecond: 1_000, burst: 2_000 }

/** A token bucket for the frames that one port floods. Times are in ms of any one clock. */
export class StormGuard {
  readonly #limit: StormLimit
  #left: number
  #at = 0

  constructor(limit: StormLimit) {
    this.#limit = limit
    this.#left = limit.burst
  }

  /** Whether one frame more may be flooded at `now`. */
  admits(now: number): boolean {
    const earned = ((now - this.#at) / 1_000) * this.#limit.perSecond
    this.#left = Math.min(this.#limit.burst, this.#left + Math.max(0, earned))
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
