import { RaspiError } from '../errors.ts'

/** Lets at most `size` of its units be held at once, in the order of asking. */
export class Gate {
  #size: number
  #free: number
  #beside = 0
  readonly #queue: { count: number; enter: () => void; refuse: (error: Error) => void }[] = []
  readonly #idlers = new Set<() => void>()
  readonly #onWaiting: (() => void) | undefined

  /** `onWaiting` is told of each who begins to wait for units. */
  constructor(size: number, onWaiting?: () => void) {
    this.#size = size
    this.#free = size
    this.#onWaiting = onWaiting
  }

  get size(): number {
    return this.#size
  }

  /** Lets so many units be held at once from now on; what is held already stays so. Who waits for more is refused. */
  resize(size: number): void {
    this.#free += size - this.#size
    this.#size = size
    for (const { count, refuse } of this.#queue.filter(({ count }) => count > size)) {
      refuse(new RaspiError('lab', `${count} are waited for, and there is only room for ${size} any more.`))
    }
    this.#advance()
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.length
  }

  get free(): number {
    return this.#free
  }

  /** Waits for `count` units (all or none) and gives the function that returns them. Rejects with the reason of `signal`. */
  async enter(count: number, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.#queue.length > 0 || this.#free < count) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const place = { count, enter: resolve, refuse: (error: Error) => leave(error) }
      this.#queue.push(place)
      this.#onWaiting?.()
      const leave = (error: unknown) => {
        const index = this.#queue.indexOf(place)
        if (index < 0) return
        this.#queue.splice(index, 1)
        reject(error)
        this.#advance()
      }
      const giveUp = () => leave(signal?.reason)
      signal?.addEventListener('abort', giveUp, { once: true })
      await promise.finally(() => signal?.removeEventListener('abort', giveUp))
    } else {
      this.#free -= count
    }
    return this.#leaving(() => {
      this.#free += count
    })
  }

  /** Lets somebody in who takes no unit and waits for none, and gives the function with which they leave. */
  join(): () => void {
    this.#beside++
    return this.#leaving(() => {
      this.#beside--
    })
  }

  /** Waits until nobody is in, or waits for a unit. Rejects with the reason of `signal`. */
  async whenIdle(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#idle) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = () => reject(signal?.reason)
    this.#idlers.add(resolve)
    signal?.addEventListener('abort', giveUp, { once: true })
    await promise.finally(() => {
      this.#idlers.delete(resolve)
      signal?.removeEventListener('abort', giveUp)
    })
  }

  /** The function with which somebody leaves, once, however often it is called. */
  #leaving(undo: () => void): () => void {
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      undo()
      this.#advance()
    }
  }

  get #idle(): boolean {
    return this.#queue.length === 0 && this.#free >= this.#size && this.#beside === 0
  }

  /** The first in the queue goes first, even where a later, smaller one would fit: nobody waits for ever. */
  #advance() {
    for (let next = this.#queue[0]; next && next.count <= this.#free; next = this.#queue[0]) {
      this.#queue.shift()
      this.#free -= next.count
      next.enter()
    }
    if (this.#idle) for (const resolve of this.#idlers) resolve()
  }
}
