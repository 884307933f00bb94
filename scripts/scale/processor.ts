/** Something that keeps processors busy. */
export interface Job {
  /** What is left of it, in core-seconds. */
  left: number
  /** How many cores it can use at once. */
  cores: number
  done(): void
}

/** The cores of a machine, shared by its jobs as a fair scheduler shares them: nobody gets more than they can use. */
export class Processor {
  readonly #cores: number
  readonly #jobs = new Set<Job>()
  /** What each job gets, and when the first is done; known until something changes. */
  #plan: { rates: readonly (readonly [Job, number])[]; next: number } | undefined
  #now = 0
  /** What has been done so far, in core-seconds. */
  busy = 0

  constructor(cores: number) {
    this.#cores = cores
  }

  add(job: Job): void {
    this.#jobs.add(job)
    this.#plan = undefined
  }

  /** When the next job is done, if nothing else happens before. */
  next(): number {
    this.#plan ??= this.#planned()
    return this.#plan.next
  }

  /** Works until `now`, and tells the jobs that are done. */
  advance(now: number): void {
    this.#plan ??= this.#planned()
    const done: Job[] = []
    for (const [job, rate] of this.#plan.rates) {
      const worked = rate * (now - this.#now)
      this.busy += worked
      job.left -= worked
      // A rest smaller than this comes from rounding.
      if (job.left < 1e-6) done.push(job)
    }
    this.#now = now
    this.#plan = undefined
    for (const job of done) this.#jobs.delete(job)
    for (const job of done) job.done()
  }

  /** An even part for each, and what those that need less leave. */
  #planned() {
    const jobs = [...this.#jobs].sort((a, b) => a.cores - b.cores)
    let free = this.#cores
    let next = Number.POSITIVE_INFINITY
    const rates = jobs.map((job, index) => {
      const rate = Math.min(job.cores, free / (jobs.length - index))
      free -= rate
      next = Math.min(next, this.#now + job.left / rate)
      return [job, rate] as const
    })
    return { rates, next }
  }
}
