/** What part of the work failed. Stable: tests and tools may switch on it. */
export type RaspiErrorKind =
  | 'options'
  | 'host'
  | 'image'
  | 'firmware'
  | 'boot'
  | 'freeze'
  | 'ssh'
  | 'lab'
  | 'ansible'
  | 'cancelled'

/** What a {@link RaspiError} is made of. */
export interface RaspiErrorDetails {
  /** What to do about it: one or more lines, shown below the message. */
  hint?: string
  /** Evidence, shown last: the last lines of a console or of a log. */
  evidence?: string
  cause?: unknown
}

const raspiError = Symbol.for('vitest-raspi.error')

/**
 * The one error class of this package: what failed and why in one sentence, then what to do, then the evidence.
 * Everything is part of `message`, because Vitest prints no other property of a failed test's error.
 */
export class RaspiError extends Error {
  static {
    RaspiError.prototype.name = 'RaspiError'
  }

  readonly kind: RaspiErrorKind
  /** The first sentence alone, without hint and evidence. */
  readonly shortMessage: string
  readonly hint?: string
  readonly evidence?: string
  readonly [raspiError] = true

  constructor(kind: RaspiErrorKind, sentence: string, { hint, evidence, cause }: RaspiErrorDetails = {}) {
    super([sentence, hint && indent(hint), evidence].filter(Boolean).join('\n'), { cause })
    this.kind = kind
    this.shortMessage = sentence
    if (hint) this.hint = hint
    if (evidence) this.evidence = evidence
  }

  /** A form that survives the way between processes; {@link RaspiError.from} makes the error again. */
  toJSON(): SerialisedRaspiError {
    return { kind: this.kind, sentence: this.shortMessage, hint: this.hint, evidence: this.evidence }
  }

  /** Makes the error again from what {@link RaspiError.toJSON} gave in another process. */
  static from({ kind, sentence, hint, evidence }: SerialisedRaspiError): RaspiError {
    return new RaspiError(kind, sentence, { hint, evidence })
  }
}

/** A {@link RaspiError} on its way between processes. */
export interface SerialisedRaspiError {
  kind: RaspiErrorKind
  sentence: string
  hint: string | undefined
  evidence: string | undefined
}

/** Tells whether `error` is a {@link RaspiError}, also of another copy of this package. */
export function isRaspiError(error: unknown): error is RaspiError {
  return typeof error === 'object' && error !== null && raspiError in error
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const indent = (text: string) => text.replace(/^/gm, '  ')
