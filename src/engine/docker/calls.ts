import type Dockerode from 'dockerode'
import { isRaspiError, RaspiError } from '../../errors.ts'
import { duration } from '../../host/progress.ts'

/** How long an engine may take to answer, in ms: on a slow one, far away, a container takes its time to be made. */
const answerMs = 120_000

/** The same where it first has to move or to make a whole image, in ms. Who waits for that is told that it goes on. */
const imageMs = 3_600_000

const withImages = /^\/(?:images\/create|images\/load|images\/.+\/(?:get|push)|build|commit)\b/

/** A call of Docker's API, as Dockerode makes it. */
interface Call {
  path: string
  method: string
  abortSignal?: AbortSignal
}

type Answer = (error: unknown, data: unknown) => void

/** An engine that was asked something, and has said nothing for too long. */
export class SilentEngine extends RaspiError {
  /** What people call it. */
  readonly engine: string
  /** What it was asked, and how long that was waited for, for people. */
  readonly why: string

  constructor(engine: string, { method, path }: Call, ms: number) {
    const why = `it was asked ${method} ${path.split('?')[0]}, and has said nothing for ${duration(ms)}`
    super('host', `${engine} does not answer: ${why}.`, {
      hint: 'An engine that hangs has to be started again: does `docker ps` answer there?',
    })
    this.engine = engine
    this.why = why
  }
}

/** The engine `docker`, which people call `name`, with a deadline for each answer. @default 2 min, for whole images 1 h */
export function withDeadlines(docker: Dockerode, name: string, deadlineMs?: number): Dockerode {
  return withCalls(docker, (call, answer) => {
    const ms = deadlineMs ?? (withImages.test(call.path) ? imageMs : answerMs)
    const stop = new AbortController()
    const { abortSignal = stop.signal } = call
    const giveUp = () => settle(abortSignal.reason, null)
    const timer = setTimeout(() => {
      settle(new SilentEngine(name, call, ms), null)
      stop.abort()
    }, ms)
    // One that waits for its connection hears of no signal.
    abortSignal.addEventListener('abort', giveUp, { once: true })
    let settle: Answer = (error, data) => {
      settle = () => {}
      clearTimeout(timer)
      abortSignal.removeEventListener('abort', giveUp)
      answer(error, data)
    }
    if (abortSignal.aborted) return giveUp()
    docker.modem.dial(
      { ...call, abortSignal: AbortSignal.any([abortSignal, stop.signal]) },
      (error: unknown, data: unknown) => settle(error, data),
    )
  })
}

/** The engine `docker`, of which all that is asked ends with `signal`, also what it tells of its progress. */
export function withSignal(docker: Dockerode, signal: AbortSignal): Dockerode {
  return withCalls(docker, ({ abortSignal = signal, ...call }, answer) =>
    docker.modem.dial({ ...call, abortSignal: AbortSignal.any([abortSignal, signal]) }, answer),
  )
}

/**
 * Throws the reason of `signal` where that has aborted, and `error` where it tells people already what is wrong: what is left is
 * for the caller to put into words.
 */
export function throwKnown(error: unknown, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  if (isRaspiError(error)) throw error
}

/** The engine `docker` with another way to make calls, for all that is had by it as well. */
function withCalls(docker: Dockerode, dial: (call: Call, answer: Answer) => void): Dockerode {
  const modem = Object.create(docker.modem, { dial: { value: dial } })
  return Object.create(docker, { modem: { value: modem } })
}
