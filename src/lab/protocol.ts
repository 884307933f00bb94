import type { SerialisedRaspiError } from '../errors.ts'
import type { Span } from '../host/spans.ts'
import type { PiConnection } from '../pi/connection.ts'

/** A Pi as its holder wants it. */
export interface WantedPi {
  /** What its holder calls it. */
  name: string
  /** What it calls itself. @default `pi-N` with its number */
  hostname?: string
  /** The port on 127.0.0.1 that leads to its ssh. @default a free one */
  sshPort?: number
  /** Its number, and so its directory: that of a Pi that has ended, whose place it takes. @default the next one */
  number?: number
}

/** What a worker asks the lab for: all of these Pis, or none. */
export interface LeaseRequest {
  /** Whom they are for, as people know it: the test's file and name. */
  holder: string
  /** The Pis by the names their holder gives them. */
  pis: WantedPi[]
  image: string
  board: string
}

/** A Pi as the lab lends it. */
export interface LentPi {
  /** Its number in this run: 1, 2, … */
  number: number
  /** The name its holder gave it. */
  name: string
  hostname: string
  connection: PiConnection
  /** The path by which OpenSSH clients share the open connection. */
  controlPath: string
  consoleFile: string
  /** How it came to be. */
  origin: 'thawed' | 'booted'
  /** The time from its start to its first login, in ms. */
  startMs: number
  /** Where the time went, from its start to its hand-over. */
  spans: Span[]
}

/** Pis lent to a test. */
export interface Lease {
  id: number
  pis: LentPi[]
  /** How long the request waited for others, in ms. */
  queuedMs: number
}

/** An answer that carries our errors whole through the socket. */
export type Answer<T> = { value: T } | { error: SerialisedRaspiError }

/** What the lab does for a worker. */
export interface LabFunctions {
  lease(request: LeaseRequest): Promise<Answer<Lease>>
  release(lease: number): Promise<Answer<void>>
  /** Leaves the Pis of a lease to the user, and gives the names by which they stand; none where the lab keeps no Pis. */
  keep(lease: number, why: string): Promise<Answer<string[]>>
  /** Shows a line to the user, from the one place that may write to the terminal. */
  say(line: string): void
}

/** What the lab tells a worker. */
export interface WorkerFunctions {
  /** A Pi of a lease is gone, and not by its holder's wish. */
  lost(pi: number, error: SerialisedRaspiError): void
}
