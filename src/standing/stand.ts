import { nameOfBoard } from '../board-option.ts'
import { isRaspiError, messageOf } from '../errors.ts'
import { nameOfImage } from '../image-option.ts'
import type { Lease, LentPi } from '../lab/protocol.ts'
import type { ClaimedPi } from './claim.ts'
import type { PiEvent, StandingPi, StandingState } from './protocol.ts'
import type { ReadyPi } from './ready-files.ts'

/** One Pi of a standing lab: what it is meant to be, what it is now, and what has become of it. */
export class Stand {
  readonly spec: ClaimedPi
  readonly events: PiEvent[] = []
  lease: Lease | undefined
  #state: Exclude<StandingState, 'off' | 'gone'> = 'starting'
  #since = new Date()
  #problem: string | undefined
  #work: Promise<unknown> = Promise.resolve()

  constructor(spec: ClaimedPi) {
    this.spec = spec
  }

  get lent(): LentPi | undefined {
    return this.lease?.pis[0]
  }

  /** It is being started, for the first time or anew. */
  starts(): void {
    this.#state = 'starting'
    this.#since = new Date()
    this.#problem = undefined
  }

  /** It is up, by this lease. */
  isUp(lease: Lease, text: string): void {
    this.lease = lease
    this.#state = 'up'
    this.note(text)
  }

  /** It is gone by nobody's wish. */
  isLost(error: unknown): void {
    this.#state = 'lost'
    const why = isRaspiError(error) ? error.shortMessage : messageOf(error)
    this.#problem = why.replace(/^Pi \S+ is lost: /, '')
    this.note(`lost: ${this.#problem}`)
  }

  note(text: string): void {
    this.events.push({ at: new Date().toISOString(), text })
  }

  /** Does `work` with it once everything is done that was begun before. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#work.then(work)
    this.#work = turn.catch(() => {})
    return turn
  }

  /** What people are told of it; `off` is whether its guest has switched it off. */
  status(off: boolean): StandingPi {
    const { name, sshPort, image, board } = this.spec
    const { lent } = this
    return {
      ...{ name, state: this.#state === 'up' && off ? 'off' : this.#state, sshPort },
      image: nameOfImage(image),
      board: nameOfBoard(board),
      since: this.#since.toISOString(),
      ...(lent && {
        ...{ origin: lent.origin, startMs: lent.startMs, connection: lent.connection },
        ...{ controlPath: lent.controlPath, consoleFile: lent.consoleFile },
      }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    }
  }

  /** What other tools are told of it, none before it was up. */
  ready(): ReadyPi[] {
    const { name, groups, vars } = this.spec
    const { connection, controlPath } = this.lent ?? {}
    return connection && controlPath !== undefined ? [{ name, groups, vars, connection, controlPath }] : []
  }
}
