import { RaspiError } from '../../errors.ts'
import type { Conversation } from '../conversation.ts'
import type { Query } from './queries.ts'
import type { ProbeTarget } from './target.ts'

/** What an answer begins with. */
const answerStart = '{"root":'

const answerers = new WeakMap<ProbeTarget, Answerer>()

/**
 * Asks the process that stays on a Pi from the first question on: sudo and Python take an emulated core a second to start.
 * Gives its answer, or nothing where it cannot be had that way: it is busy, it has ended, or this Pi has none. Throws a
 * `RaspiError` where it takes longer than `timeoutMs`.
 */
export function askAnswerer(
  pi: ProbeTarget,
  script: string,
  queries: readonly Query[],
  timeoutMs: number,
): Promise<string | undefined> {
  const answerer = answerers.get(pi) ?? new Answerer()
  answerers.set(pi, answerer)
  return answerer.ask(pi, script, queries, timeoutMs)
}

/** Has the one who answered forgotten, and ended: what it has loaded may be older than what is on the Pi now. */
export function dismissAnswerer(pi: ProbeTarget): void {
  answerers.get(pi)?.dismiss()
}

class Answerer {
  #conversation: Conversation | undefined
  #isBusy = false
  /** One that never gave an answer would not the next time either: no Python, no sudo. */
  #isHopeless = false

  async ask(
    pi: ProbeTarget,
    script: string,
    queries: readonly Query[],
    timeoutMs: number,
  ): Promise<string | undefined> {
    if (!pi.converse || this.#isBusy || this.#isHopeless) return undefined
    this.#isBusy = true
    const program = this.#conversation ? '' : `${script}\nserve()\n`
    this.#conversation ??= pi.converse(commandFor(program))
    const conversation = this.#conversation
    const late = AbortSignal.timeout(timeoutMs)
    const giveUp = () => conversation.close()
    late.addEventListener('abort', giveUp, { once: true })
    try {
      const answer = await conversation.ask(`${program}${JSON.stringify(queries)}\n`, answerStart)
      if (answer !== undefined) return answer
      this.#conversation = undefined
      this.#isHopeless = program !== '' && !late.aborted
    } finally {
      late.removeEventListener('abort', giveUp)
      this.#isBusy = false
    }
    if (late.aborted) throw new RaspiError('ssh', `Pi ${pi.name} did not answer within ${timeoutMs / 1000} s`)
    return undefined
  }

  dismiss() {
    this.#conversation?.close()
    this.#conversation = undefined
  }
}

/** Reads its program first, of so many bytes, and then the questions. */
const commandFor = (program: string) =>
  `python3 -IS -c 'import sys; exec(sys.stdin.buffer.read(${Buffer.byteLength(program)}))'`
