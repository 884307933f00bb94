import type { SerialisedRaspiError } from '../errors.ts'
import type { ImageOption } from '../image-option.ts'
import type { Answer, LentPi } from '../lab/protocol.ts'
import type { RaspiOptions } from '../options.ts'
import type { PowerAction, PowerState } from '../pi/power.ts'
import type { ProvisionAction, ProvisionState } from '../pi/provision.ts'

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
  /** The networks it is on. @default those of the request */
  networks?: string[] | undefined
}

/** How Pis come up: with power, without, or with nothing on their cards. */
export type StandingStart = 'on' | 'off' | 'enrolled'

/** A lab that is wanted to stand. */
export interface StandingRequest {
  /** The Pis, or how many with names that are free. */
  pis: WantedStanding[] | number
  /** The groups of the inventory that contain others, and these. */
  groupChildren: Record<string, string[]>
  /** The first ssh port that may be taken. */
  firstPort: number
  /** The networks that all are on of whom nothing else is said. @default none */
  networks?: string[]
  /** Whether they have BMCs. @default false */
  bmc?: boolean
  /** @default 'on' */
  start?: StandingStart
  /** Where `latest` is pinned. @default nowhere */
  lockFile?: string | undefined
  options: Pick<RaspiOptions, 'image' | 'board' | 'engine' | 'share' | 'cacheDir' | 'maxPis'>
  /** When it is to end by itself, in ms from now; absent where it is not. */
  lifetimeMs?: number
}

/** A Pi that stands. */
export interface StandingPi {
  name: string
  state: StandingState
  /** Whether it has power. */
  power: PowerState
  /** How far it has come as a node; absent where it is none: it has no BMC, and was never enrolled. */
  provision?: ProvisionState
  sshPort: number
  /** What is on its card. */
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
  /** Its NICs on networks, where there are any. */
  nics?: LentPi['nics']
  hardware?: LentPi['hardware']
  /** Its BMC, where it has one. */
  bmc?: LentPi['bmc']
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
  /** Does something to the power of a Pi, or nothing, and tells whether it has any. */
  power(name: string, action: PowerAction | undefined): Promise<Answer<PowerState>>
  /** Takes a Pi to another state of a node, or nowhere, and tells which it is in. */
  provision(
    name: string,
    action: ProvisionAction | undefined,
    image: ImageOption | undefined,
  ): Promise<Answer<ProvisionState>>
  /** What has become of a Pi so far, the oldest first. */
  events(name: string): Promise<Answer<PiEvent[]>>
}

/** What the process of a detached lab tells the one that has started it. */
export type DetachedMessage =
  | { line: string }
  | { claimed: string[] }
  | { up: string; startMs?: number | undefined }
  | { ready: true }
  | { failed: SerialisedRaspiError }
