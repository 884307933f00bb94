import { createDebug } from 'obug'

const debug = createDebug('raspi:spans')

/** How long one phase of something took. */
export interface Span {
  name: string
  ms: number
}

/** Measures phases that follow each other: each {@link Spans.end} ends one, and begins the next. */
export class Spans {
  readonly all: Span[] = []
  readonly #title: string
  #since = performance.now()

  /** `title` is what `DEBUG=raspi:spans` calls them by. */
  constructor(title: string) {
    this.#title = title
  }

  end(name: string): void {
    const now = performance.now()
    this.all.push({ name, ms: Math.round(now - this.#since) })
    debug('%s: %s %d ms', this.#title, name, Math.round(now - this.#since))
    this.#since = now
  }
}
