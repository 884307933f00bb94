import { RaspiError } from '../errors.ts'

/** Whether a Pi is gone by nobody's wish, and who is to know of it. */
export class Loss {
  readonly #told = Promise.withResolvers<RaspiError>()
  #by: RaspiError | undefined

  /** Whether it is gone. It stays so. */
  get hasCome(): boolean {
    return this.#by !== undefined
  }

  /** It is gone by `error`, of which nobody is told yet. */
  note(error: RaspiError): void {
    this.#by ??= error
  }

  /** It is gone by `error`, and whoever listens is told so. */
  tell(error: RaspiError): void {
    this.note(error)
    this.#told.resolve(error)
  }

  /** Tells `listener` of it, also where it has come already. */
  listen(listener: (error: RaspiError) => void): void {
    void this.#told.promise.then(listener)
  }

  /** Throws a `RaspiError` where it has come: the Pi's holder was told so for good, and would never notice that it runs again. */
  assertNone(): void {
    if (!this.#by) return
    throw new RaspiError('lab', `Its power cannot be switched: ${this.#by.shortMessage}`, { cause: this.#by })
  }
}
