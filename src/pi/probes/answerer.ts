import { RaspiError } from '../../errors.ts'
import { parsedJson } from '../../host/json.ts'
import type { Conversation } from '../conversation.ts'
import type { Query } from './queries.ts'
import type { ProbeTarget } from './target.ts'

/** What an answer begins with. */
const answerStart = '{"root":'

/** The exit code of an ssh that does not get to the Pi. */
const unreachable = 255

/** What was found, and whether with root's rights. */
export interface Outcome {
  root: boolean
  answers: Record<string, unknown>[]
}

/** Whether an answer is none, and another process might have one. */
export function isOpen(answer: Record<string, unknown> | undefined): boolean {
  return answer === undefined || ('error' in answer && answer.again !== false)
}

const answerers = new WeakMap<ProbeTarget, Answerer>()

/**
 * Asks the process that stays on a Pi from the first question on: sudo and Python take an emulated core a second to start.
 * Gives its answers, or nothing where they cannot be had that way: it is busy, it has ended, or this Pi has none. One that is
 * open is to be asked for anew, for what the process has loaded may be older than what is on the Pi now; only that one, as
 * a question may be a request that changes something. Throws a `RaspiError` where it takes longer than `timeoutMs`.
 */
export function askAnswerer(
  pi: ProbeTarget,
  script: string,
  queries: readonly Query[],
  timeoutMs: number,
): Promise<Outcome | undefined> {
  const answerer = answerers.get(pi) ?? new Answerer()
  answerers.set(pi, answerer)
  return answerer.ask(pi, script, queries, timeoutMs)
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
  ): Promise<Outcome | undefined> {
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
      // Where the Pi is lost in the middle of an answer, that is no JSON.
      const outcome = parsedJson(answer ?? '') as Outcome | undefined
      if (outcome && !outcome.answers.some(isOpen)) return outcome
      conversation.close()
      this.#conversation = undefined
      if (outcome) return outcome
      const isFirst = program !== '' && answer === undefined
      this.#isHopeless = isFirst && !late.aborted && (await conversation.ended) !== unreachable
    } finally {
      late.removeEventListener('abort', giveUp)
      this.#isBusy = false
    }
    if (late.aborted) throw new RaspiError('ssh', `Pi ${pi.name} did not answer within ${timeoutMs / 1000} s`)
    return undefined
  }
}

/** Reads its program first, of so many bytes, and then the questions. */
const commandFor = (program: string) =>
  `python3 -IS -c 'import sys; exec(sys.stdin.buffer.read(${Buffer.byteLength(program)}))'`
