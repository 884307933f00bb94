import { type Log, phase } from '../host/progress.ts'

/** How mmdebstrap's own announcements begin, and what they are to a user. */
const steps: [string, string][] = [
  ['I: running apt-get update', 'reading package lists'],
  ['I: downloading packages', 'downloading the essential packages'],
  ['I: extracting archives', 'unpacking the essential packages'],
  ['I: installing essential packages', 'installing the essential packages'],
  ['I: installing remaining packages', 'downloading and installing all other packages'],
  ['I: running --customize-hook', 'setting the Pi up'],
]

/** How many lines are kept as evidence for an error. */
const tailLines = 15

/** Turns what `mmdebstrap --verbose` writes into phases of the image `name`. */
export class BuildProgress {
  readonly #name: string
  readonly #log: Log
  readonly #tail: string[] = []
  #detail = ''
  #step: { end: (error?: unknown) => void; ended: Promise<void> } | undefined

  constructor(name: string, log: Log) {
    this.#name = name
    this.#log = log
  }

  /** Takes one line; a line that announces the next step ends the step before. */
  async line(line: string): Promise<void> {
    this.#tail.push(line)
    if (this.#tail.length > tailLines) this.#tail.shift()
    this.#detail = detailOf(line) ?? this.#detail
    const title = steps.find(([start]) => line.startsWith(start))?.[1]
    if (!title) return
    await this.end()
    this.#start(title)
  }

  /** Ends the step under way; with an error it is not said to be done. */
  async end(error?: unknown): Promise<void> {
    this.#step?.end(error)
    await this.#step?.ended
    this.#step = undefined
  }

  /** The last lines, as evidence. */
  get tail(): string {
    return this.#tail.join('\n')
  }

  #start(title: string): void {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const ended = phase(
      this.#log,
      `Image ${this.#name}: ${title}`,
      () => promise,
      () => this.#detail,
    ).catch(() => {})
    this.#detail = ''
    this.#step = { end: (error) => (error === undefined ? resolve() : reject(error)), ended }
  }
}

/** What a line of apt, dpkg or a package's script tells about how far things are. */
function detailOf(line: string): string | undefined {
  return /^(?:Get:\d+ \S+ \S+ \S+ \S+|(?:Unpacking|Setting up|Processing triggers for) [^\s:]+|update-initramfs: .*)/.exec(
    line,
  )?.[0]
}
