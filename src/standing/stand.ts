import { nameOfBoard } from '../board-option.ts'
import { isRaspiError, messageOf, RaspiError } from '../errors.ts'
import { nameOfImage } from '../image-option.ts'
import { labVars } from '../lab/lab-vars.ts'
import type { Lease, LentPi } from '../lab/protocol.ts'
import type { PowerState } from '../pi/power.ts'
import type { ProvisionState } from '../pi/provision.ts'
import type { ClaimedPi } from './claim.ts'
import type { PiEvent, StandingPi, StandingState } from './protocol.ts'
import type { ReadyPi } from './ready-files.ts'

/** What its machine is like now. */
export interface StandNow {
  power: PowerState
  /** Absent where it is no node. */
  provision?: ProvisionState | undefined
}

/** One Pi of a standing lab: what it is meant to be, what it is now, and what has become of it. */
export class Stand {
  readonly spec: ClaimedPi
  readonly events: PiEvent[] = []
  lease: Lease | undefined
  /** As it was lent last: one that takes its place has the same number, and its BMC the same address and user. */
  lentLast: LentPi | undefined
  /** What is on its card, or was last. */
  image: string
  #state: Exclude<StandingState, 'off' | 'gone'> = 'starting'
  #since = new Date()
  #problem: string | undefined
  #work: Promise<unknown> = Promise.resolve()
  readonly #down = new AbortController()

  constructor(spec: ClaimedPi) {
    this.spec = spec
    this.image = nameOfImage(spec.image)
  }

  get lent(): LentPi | undefined {
    return this.lease?.pis[0]
  }

  /** Aborts once it is to be taken down: what starts it then is given up. */
  get down(): AbortSignal {
    return this.#down.signal
  }

  /** It is to be taken down, whatever is being done with it. */
  takeDown(): void {
    this.#down.abort(new RaspiError('cancelled', `Pi ${this.spec.name} was taken down.`))
  }

  /** It is being started, for the first time or anew. */
  starts(): void {
    this.image = nameOfImage(this.spec.image)
    this.#state = 'starting'
    this.#since = new Date()
    this.#problem = undefined
  }

  /** It is up, by this lease. */
  isUp(lease: Lease, text: string): void {
    this.lease = lease
    this.lentLast = this.lent
    this.#state = 'up'
    this.#problem = undefined
    this.note(text)
  }

  /** It is gone by nobody's wish. */
  isLost(error: unknown): void {
    this.#state = 'lost'
    const why = isRaspiError(error) ? error.shortMessage : messageOf(error)
    this.#problem = why.replace(/^Pi \S+ is lost: /, '')
    this.note(`lost: ${this.#problem}`)
  }

  /** Throws a `RaspiError` where it is lost. */
  assertNotLost(): void {
    if (this.#state !== 'lost') return
    const { name } = this.spec
    throw new RaspiError('lab', `Pi ${name} is lost: ${this.#problem}.`, {
      hint: `\`vitest-raspi reset ${name}\` makes it fresh.`,
    })
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

  /** What people are told of it. */
  status({ power, provision }: StandNow): StandingPi {
    const { name, sshPort, board } = this.spec
    const { lent, image } = this
    return {
      ...{ name, state: this.#stateBy({ power, provision }), power },
      ...(provision && { provision }),
      ...{ sshPort, image, board: nameOfBoard(board) },
      since: this.#since.toISOString(),
      ...(lent && {
        ...{ origin: lent.origin, startMs: lent.startMs, connection: lent.connection },
        ...{ controlPath: lent.controlPath, consoleFile: lent.consoleFile },
        hardware: lent.hardware,
        ...(lent.nics.length > 0 && { nics: lent.nics }),
        ...(lent.bmc && { bmc: lent.bmc }),
      }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    }
  }

  #stateBy({ power, provision }: StandNow): StandingState {
    if (this.#state !== 'up') return this.#state
    if (provision === 'deploying') return 'starting'
    return power === 'off' ? 'off' : 'up'
  }

  /** What other tools are told of it, none before it was up. */
  ready(): ReadyPi[] {
    const { name, groups, vars } = this.spec
    const { lent } = this
    if (!lent) return []
    const { connection, controlPath } = lent
    return [{ name, groups, vars: { ...vars, ...labVars(lent) }, connection, controlPath }]
  }
}
