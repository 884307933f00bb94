/** Frames that came from a port at one time and had the same fate. */
export interface Passage {
  /** When they were in the switch, in ms since 1970. */
  at: number
  /** The name of the port that they came from. */
  from: string
  /** The names of the ports that they were sent on to; one twice where it got two copies. */
  to: readonly string[]
  /** The frames with their heads. */
  run: Buffer
}

/** Remembers the last frames of a segment. It keeps the bytes as they came, without a copy of its own. */
export class Recent {
  readonly #mostBytes: number
  #passages: Passage[] = []
  #first = 0
  #bytes = 0
  #forgottenUntil: number | undefined

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** When the last frame that is no longer remembered was there, in ms since 1970; undefined while all are remembered. */
  get forgottenUntil(): number | undefined {
    return this.#forgottenUntil
  }

  add(passage: Passage): void {
    this.#passages.push(passage)
    this.#bytes += passage.run.length
    while (this.#bytes > this.#mostBytes) {
      const oldest = this.#passages[this.#first++]
      if (!oldest) break
      this.#bytes -= oldest.run.length
      this.#forgottenUntil = oldest.at
    }
    if (this.#first < 1_024 || this.#first * 2 < this.#passages.length) return
    this.#passages = this.#passages.slice(this.#first)
    this.#first = 0
  }

  /** What is remembered, the oldest first. */
  all(): Passage[] {
    return this.#passages.slice(this.#first)
  }
}
