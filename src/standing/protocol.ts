import type { SerialisedRaspiError } from '../errors.ts'
import type { Answer, LentPi } from '../lab/protocol.ts'
import type { RaspiOptions } from '../options.ts'

/** What a Pi of a standing lab is doing. `gone`: its lab's process has died, and the Pi with it. */
export type StandingState = 'starting' | 'up' | 'off' | 'lost' | 'gone'

/** A Pi that is wanted to stand. */
export interface WantedStanding {
  /** What people and inventories call it. */
  name: string
  /** What it calls itself. */
  hostname: string
  /** The groups of the inventory that it is in, without `all`. */
  groups: string[]
  /** Its variables in the inventory it comes from. */
  vars: Record<string, unknown>
}

/** A lab that is wanted to stand. */
export interface StandingRequest {
  /** The Pis, or how many with names that are free. */
  pis: WantedStanding[] | number
  /** The groups of the inventory that contain others, and these. */
  groupChildren: Record<string, string[]>
  /** The first ssh port that may be taken. */
  firstPort: number
  options: Pick<RaspiOptions, 'image' | 'board' | 'cacheDir' | 'maxPis'>
  /** When it is to end by itself, in ms from now; absent where it is not. */
  lifetimeMs?: number
}

/** A Pi that stands. */
export interface StandingPi {
  name: string
  state: StandingState
  sshPort: number
  image: string
  board: string
  /** When it was started or reset last, as ISO 8601. */
  since: string
  /** Absent, as what follows, while it starts and once it is gone. */
  origin?: LentPi['origin']
  /** The time from its start to its first login, in ms. */
  startMs?: number
  connection?: LentPi['connection']
  controlPath?: string
  consoleFile?: string
  /** Why it is lost or gone. */
  problem?: string
}

/** What has become of a Pi, and when (ISO 8601). */
export interface PiEvent {
  at: string
  text: string
}

/** What every process of the user may ask of a standing lab. */
export interface StandingFunctions {
  list(): Promise<Answer<StandingPi[]>>
  /** Ends these Pis and brings fresh ones in their place. */
  reset(names: string[]): Promise<Answer<StandingPi[]>>
  /** Ends these Pis; the lab ends with its last one. */
  down(names: string[]): Promise<Answer<void>>
  /** What has become of a Pi so far, the oldest first. */
  events(name: string): Promise<Answer<PiEvent[]>>
}

/** What the process of a detached lab tells the one that has started it. */
export type DetachedMessage =
  | { line: string }
  | { claimed: string[] }
  | { up: string; startMs: number }
  | { ready: true }
  | { failed: SerialisedRaspiError }
