import type { PiSource } from '../engine/engine.ts'
import type { LivePi } from './live-pi.ts'
import type { Preparation } from './protocol.ts'
import type { SourceContext } from './sources.ts'

/** What it takes to prepare Pis. */
export interface PrepareContext extends SourceContext {
  /** That of ansible-core: `2.14.18`; with the container image that it is in, where it is in one. */
  ansibleVersion: string
  /** What Ansible's programs have in their environment where no option says otherwise. */
  programEnv: NodeJS.ProcessEnv
  /** Waits until so many Pis may live, and gives what returns their places. Throws a `RaspiError` where that can never be. */
  room(count: number): Promise<() => void>
  /** Starts a Pi that calls itself `hostname`. */
  start(source: PiSource, hostname: string): Promise<LivePi>
  /** Ends one. Never rejects. */
  end(pi: LivePi): Promise<void>
  /** Does what boots a machine when it is its turn: only so many start at once. */
  turn<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Makes of what Pis of an image are made of what prepared ones are made of, one for each host of `preparation` in their
 * order; from the cache where it has been made before.
 */
export type Prepare = (
  source: PiSource,
  preparation: Preparation,
  context: PrepareContext,
) => Promise<PiSource[]>
