/** Something that is held back until its time. */
interface Held<Item> {
  item: Item
  bytes: number
  due: number
}

/** https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestTimerMs = 2 ** 31 - 1

/** What a {@link Line} does with what is due. */
interface LineOptions<Item> {
  deliver: (item: Item) => void
  /** Called after each time that something was delivered. */
  delivered: () => void
}

/** Holds things back for their time and gives them out in their order. Times are those of `performance.now()`. */
export class Line<Item> {
  readonly #mostBytes: number
  readonly #options: LineOptions<Item>
  #held: Held<Item>[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(mostBytes: number, options: LineOptions<Item>) {
    this.#mostBytes = mostBytes
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#held.length === 0
  }

  /** Holds `item` until `due`, or until all before it are out, whichever is later. False where there is no room for it. */
  push(item: Item, bytes: number, due: number): boolean {
    if (this.#bytes + bytes > this.#mostBytes) return false
    const isFirst = this.isEmpty
    this.#held.push({ item, bytes, due })
    this.#bytes += bytes
    if (isFirst) this.#wait()
    return true
  }

  /** Dates everything anew, and gives out at once what is due. */
  redate(dueOf: (item: Item) => number): void {
    for (const held of this.#held) held.due = dueOf(held.item)
    this.#give(performance.now())
  }

  /** Drops everything. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#held = []
    this.#bytes = 0
  }

  #wait() {
    clearTimeout(this.#timer)
    const [first] = this.#held
    if (!first) return
    const ms = Math.min(first.due - performance.now(), longestTimerMs)
    this.#timer = setTimeout(() => this.#give(performance.now()), Math.ceil(ms))
    this.#timer.unref()
  }

  #give(now: number) {
    const waiting = this.#held.findIndex(({ due }) => due > now)
    const out = this.#held.splice(0, waiting === -1 ? this.#held.length : waiting)
    for (const { bytes } of out) this.#bytes -= bytes
    for (const { item } of out) this.#options.deliver(item)
    this.#wait()
    this.#options.delivered()
  }
}
