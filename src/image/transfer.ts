import { duration } from '../host/progress.ts'
import { megabytes } from './free-space.ts'

/** How far a transfer is, for people and for whoever waits for it. */
export class Transfer {
  bytes = 0
  total: number | undefined
  /** When it came how far, lately: a rate over all of the time would say little of now. */
  readonly #marks: { at: number; bytes: number }[] = []

  /** Takes it up at `bytes` of `total`, where that is known. */
  start(bytes: number, total: number | undefined): void {
    this.bytes = bytes
    this.total = total
    this.#marks.length = 0
    this.#mark()
  }

  add(bytes: number): void {
    this.bytes += bytes
    const [, second] = this.#marks
    if (this.#now() - (this.#marks.at(-1)?.at ?? 0) >= 1_000) this.#mark()
    if (second && this.#now() - second.at > 15_000) this.#marks.shift()
  }

  /** `45 %, 12.3 MB/s, 25 s left`. */
  toString(): string {
    const [first] = this.#marks
    const elapsed = first ? this.#now() - first.at : 0
    const rate = first && elapsed > 0 ? ((this.bytes - first.bytes) / elapsed) * 1000 : 0
    const parts = [this.total ? `${Math.floor((this.bytes / this.total) * 100)} %` : megabytes(this.bytes)]
    if (rate > 0) parts.push(`${(rate / 1e6).toFixed(1)} MB/s`)
    if (rate > 0 && this.total) parts.push(`${duration(((this.total - this.bytes) / rate) * 1000)} left`)
    return parts.join(', ')
  }

  #mark() {
    this.#marks.push({ at: this.#now(), bytes: this.bytes })
  }

  #now = () => performance.now()
}
