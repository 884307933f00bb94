import type { Costs } from './figures.ts'
import { Processor } from './processor.ts'

/** A test that wants a Pi. */
export interface SimulatedTest {
  /** What it does once it has the Pi: so many core-seconds, on so many cores at most. */
  work: number
  cores: number
  ended(at: number): void
}

/** What a machine of the fleet is like. */
export interface MachineSize {
  cores: number
  /** The most tests that run on it at once, each with a Pi, and the most Pis that live on it, ready ones included. */
  tests: number
  pis: number
  /** How many it keeps ready, and how many it starts at once. */
  ready: number
  starts: number
}

/**
 * A machine with a lab, as the lab works: tests take Pis that are ready, else thawed ones, as long as there is room; while
 * there is, and nobody waits, the next ones are thawed one at a time and kept.
 */
export class Machine {
  readonly processor: Processor
  readonly #size: MachineSize
  readonly #costs: Costs
  readonly #waiting: (() => void)[] = []
  #lent = 0
  #ready = 0
  /** The one that is being made ready, and the test that could not wait for it. */
  #next: { taker?: SimulatedTest } | undefined
  #starting = 0
  #now = 0
  /** The most Pis that have lived here at once. */
  peak = 0

  constructor(size: MachineSize, costs: Costs) {
    this.#size = size
    this.#costs = costs
    this.processor = new Processor(size.cores)
  }

  /** How many tests it takes yet. */
  get room(): number {
    return Math.min(this.#size.tests, this.#size.pis) - this.#lent
  }

  get ready(): number {
    return this.#ready
  }

  /** When something happens next. */
  next(): number {
    return this.processor.next()
  }

  advance(now: number): void {
    this.#now = now
    this.processor.advance(now)
  }

  /** Gives a test its Pi, lets it work, and takes the Pi back. */
  take(test: SimulatedTest): void {
    this.#lent++
    if (this.#ready > 0) {
      this.#ready--
      // What a ready Pi takes until its first command is waiting more than work: at most one core's.
      this.#job(this.#costs.readySeconds, 1, () => this.#work(test))
    } else if (this.#next && !this.#next.taker) {
      // One that is just starting is sooner than another.
      this.#next.taker = test
    } else {
      this.#start(() => this.#work(test))
    }
    this.refill()
  }

  /** Begins to keep Pis ready. */
  refill(): void {
    const full = this.#lent + this.#ready >= this.#size.pis
    if (!this.#next && this.#ready < this.#size.ready && !full) {
      const next: { taker?: SimulatedTest } = {}
      this.#next = next
      this.#start(() => {
        this.#next = undefined
        if (next.taker) this.#work(next.taker)
        else this.#ready++
        this.refill()
      })
    }
    const waiting = this.#next && !this.#next.taker ? 1 : 0
    this.peak = Math.max(this.peak, this.#lent + this.#ready + waiting)
  }

  #work(test: SimulatedTest): void {
    this.#job(test.work, test.cores, () => {
      this.#lent--
      test.ended(this.#now)
      this.refill()
    })
  }

  #start(done: () => void): void {
    const begin = () => {
      this.#starting++
      const { work, cores } = this.#costs.thaw
      this.#job(work, cores, () => {
        this.#starting--
        this.#waiting.shift()?.()
        done()
      })
    }
    if (this.#starting < this.#size.starts) begin()
    else this.#waiting.push(begin)
  }

  #job(left: number, cores: number, done: () => void): void {
    this.processor.add({ left, cores, done })
  }
}
