import type { Duplex } from 'node:stream'

/**
 * How long the first connection may stay without a greeting before a further one is tried beside it, in ms, and by how
 * much longer each after it. One that has reached the guest costs it an sshd, and seconds of an emulated core: on a busy
 * host a guest that is asked every few seconds never comes to answer anybody.
 */
const patience = { firstMs: 4_000, factor: 1.5, longestMs: 30_000 }

/**
 * How many silent connections are kept, whoever waits for one; of more the oldest go, which have waited for two minutes
 * then. While a guest boots none of them has reached it, and when it is there at last, each that is left costs it an sshd:
 * from the eleventh on it drops them at random (https://man.openbsd.org/sshd_config#MaxStartups).
 */
const silentOnes = 8

/** How long a guest that has closed a connection without a greeting is left alone, in ms. */
const refusalPauseMs = 400

/** What an ssh server says first: https://www.rfc-editor.org/rfc/rfc4253#section-4.2 */
const greetingStart = 'SSH-'

/** Connects to a guest's ssh server. The connection is closed where that cannot be. */
export type Dial = () => Duplex

/** A connection that the guest has greeted, with what it has said; nothing where it goes on refusing. */
export type Greeted = { connection: Duplex; greeting: Buffer } | undefined

/**
 * Connections to a guest that has not greeted yet. QEMU's slirp accepts one long before the guest can, and then repeats its
 * lost SYN only after 6 s, so that further ones are tried beside it, ever more rarely, for all who wait together: the first
 * that is greeted goes to who has waited longest.
 */
export class Greetings {
  readonly #dial: Dial
  readonly #refusalsMs: number
  readonly #waiting = new Set<(greeted: Greeted) => void>()
  readonly #tries = new Set<Duplex>()
  /** Whether the guest has greeted anybody. */
  #hasGreeted = false
  #refusedSince: number | undefined
  #timer: NodeJS.Timeout | undefined

  /** From its first greeting on, a guest that refuses for longer than `refusalsMs` is given up. */
  constructor(dial: Dial, refusalsMs: number) {
    this.#dial = dial
    this.#refusalsMs = refusalsMs
  }

  /** Tells `taker` of its connection, once; gives what ends that wait. */
  wait(taker: (greeted: Greeted) => void): () => void {
    this.#waiting.add(taker)
    this.#attempt()
    if (this.#timer === undefined) this.#askAgainLater(patience.firstMs)
    return () => {
      if (this.#waiting.delete(taker)) this.#restIfAlone()
    }
  }

  #attempt() {
    const most = this.#hasGreeted ? Math.max(silentOnes, this.#waiting.size) : silentOnes
    if (this.#waiting.size === 0 || this.#tries.size >= most) return
    const connection = this.#dial()
    this.#tries.add(connection)
    connection.on('error', () => {})
    connection.once('data', (greeting: Buffer) => {
      if (!this.#tries.has(connection)) return
      // A guest with too many at its door says that, and no more.
      if (greeting.toString('latin1').startsWith(greetingStart)) this.#take({ connection, greeting })
      else connection.destroy()
    })
    connection.once('close', () => {
      if (this.#tries.delete(connection)) this.#refused()
    })
  }

  #take(greeted: NonNullable<Greeted>) {
    this.#tries.delete(greeted.connection)
    this.#hasGreeted = true
    this.#refusedSince = undefined
    const [taker] = this.#waiting
    if (!taker) return
    this.#waiting.delete(taker)
    taker(greeted)
    // Each of the others may need one of its own.
    while (this.#tries.size < this.#waiting.size) this.#attempt()
    this.#restIfAlone()
  }

  /**
   * A guest that boots refuses until its ssh server is up, however long that takes; one that had a server and goes on
   * refusing has none any more.
   */
  #refused() {
    this.#refusedSince ??= performance.now()
    if (!this.#hasGreeted || performance.now() - this.#refusedSince < this.#refusalsMs) {
      setTimeout(() => this.#attempt(), refusalPauseMs)
    } else if (this.#tries.size === 0) {
      for (const taker of this.#waiting) {
        this.#waiting.delete(taker)
        taker(undefined)
      }
      this.#restIfAlone()
    }
  }

  #askAgainLater(gapMs: number) {
    // Where somebody was greeted connections arrive, and one that is not greeted yet only waits for its turn.
    const ms = this.#hasGreeted ? patience.longestMs : gapMs
    this.#timer = setTimeout(() => {
      const [oldest] = this.#tries
      if (oldest && this.#tries.size >= silentOnes) this.#drop(oldest)
      this.#attempt()
      this.#askAgainLater(Math.min(gapMs * patience.factor, patience.longestMs))
    }, ms)
  }

  #restIfAlone() {
    if (this.#waiting.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#refusedSince = undefined
    for (const connection of this.#tries) this.#drop(connection)
  }

  #drop(connection: Duplex) {
    this.#tries.delete(connection)
    connection.destroy()
  }
}
