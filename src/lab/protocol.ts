import type { SearchPaths } from '../ansible/galaxy.ts'
import type { SourcePaths } from '../ansible/sources.ts'
import type { VaultOptions } from '../ansible/vault.ts'
import type { BmcConnection } from '../bmc/bmc.ts'
import type { BoardOption } from '../board-option.ts'
import type { SerialisedRaspiError } from '../errors.ts'
import type { GuestNic } from '../freeze/guest-networks.ts'
import type { Span } from '../host/spans.ts'
import type { ImageOption } from '../image-option.ts'
import type { GpioPin } from '../machine/gpio.ts'
import type { Hardware } from '../machine/hardware.ts'
import type { SegmentRequest } from '../network/calls.ts'
import type { PiConnection } from '../pi/connection.ts'
import type { MachineFault } from '../pi/faults.ts'
import type { PowerAction, PowerState } from '../pi/power.ts'
import type { ProvisionAction, Provisioned } from '../pi/provision.ts'

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
  /** Whether its guest gets to the host and the world. @default true */
  internet?: boolean
  /** Whether it has a BMC, or how that is to be reached: as that of the Pi whose place it takes was. @default false */
  bmc?: boolean | BmcConnection | undefined
  /** Whether it is lent without power. @default false */
  off?: boolean | undefined
  /** Whether it is lent with nothing on its card, and so without power. @default false */
  enrolled?: boolean | undefined
}

/** The networks of a lease. */
export interface WantedNetworks {
  /** What random faults and addresses of NICs depend on. */
  seed: string | number
  /**
   * In their order, which gives the numbers of their addresses. Without addresses of ours the Pis find their own; with DHCP
   * they get ours by it.
   */
  networks: { name: string; addresses?: boolean | undefined; dhcp?: boolean | undefined }[]
  /** Which Pi is on which of them, in the order of its NICs. */
  pis: { name: string; networks: string[] }[]
}

/** What a worker asks the lab for: all of these Pis, or none. */
export interface LeaseRequest {
  /** Whom they are for, as people know it: the test's file and name. */
  holder: string
  /** The Pis by the names their holder gives them. */
  pis: WantedPi[]
  image: ImageOption
  board: BoardOption
  /** The networks between them. @default none */
  networks?: WantedNetworks | undefined
  /** What the Pis are to be prepared with. @default nothing */
  prepare?: Preparation | undefined
}

/** What is done to Pis once, before they are frozen again and each test starts from there. */
export interface Preparation {
  /** In this order; each makes a layer on the one before it. */
  steps: PrepareStep[]
  /** The inventory's view of each of the request's Pis, in their order. */
  hosts: { name: string; groups?: string[]; vars?: Record<string, unknown> }[]
  /** Where requirements were installed for the time of the run. @default none were */
  paths?: SearchPaths | undefined
}

/** A playbook that prepares Pis, with the options it is run with. */
export interface PrepareStep extends VaultOptions {
  /** Relative to the project. */
  playbook: string
  extraVars?: Record<string, unknown> | undefined
  tags?: string | readonly string[] | undefined
  skipTags?: string | readonly string[] | undefined
  /** `null` takes a variable away. */
  env?: Record<string, string | null | undefined> | undefined
  args?: readonly string[] | undefined
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
  /** When it was started, in ms since the epoch. */
  startedAt: number
  /** The time from its start to its first login, in ms. */
  startMs: number
  /** How long the Pi it was thawed from took to boot, in ms, where that was measured. */
  coldBootMs?: number | undefined
  /** Where the time went, from its start to its hand-over. */
  spans: Span[]
  /** Its NICs on the networks of its lease. */
  nics: GuestNic[]
  hardware: Hardware
  /** Its BMC, where it has one. */
  bmc?: BmcConnection | undefined
}

/** Pis lent to a test. */
export interface Lease {
  id: number
  pis: LentPi[]
  /** How long the request waited for others, in ms. */
  queuedMs: number
}

/** What a test that pauses tells the user. */
export interface PauseWish {
  /** The test. */
  holder: string
  /** What it calls the Pi. */
  name: string
  /** What there is to see. */
  what?: string | undefined
  /** When the test's time is over, in ms since the epoch; absent where it has no limit. */
  endsAt?: number | undefined
}

/** A checkpoint of a lent Pi, which is kept until the lease ends. */
export interface MadeCheckpoint {
  id: string
  /** The name that its maker gave it, else `1`, `2`, … */
  name: string
  /** How long it took, in ms. */
  durationMs: number
}

/** An answer that carries our errors whole through the socket. */
export type Answer<T> = { value: T } | { error: SerialisedRaspiError }

/** What the lab does for a worker. */
export interface LabFunctions {
  lease(request: LeaseRequest): Promise<Answer<Lease>>
  release(lease: number): Promise<Answer<void>>
  /** Freezes a lent Pi as it is on its card, and lets it go on. */
  checkpoint(pi: number, name: string | undefined): Promise<Answer<MadeCheckpoint>>
  /** Makes a lent Pi go on as it was at a checkpoint. */
  restore(pi: number, checkpoint: string): Promise<Answer<void>>
  /** The pins of the lent Pi of this number. */
  gpio(pi: number): Promise<Answer<GpioPin[]>>
  /** Does something to the power of a lent Pi, or nothing, and tells whether it is on. Where `wait` is false it waits for no first start. */
  power(pi: number, action: PowerAction | undefined, wait: boolean): Promise<Answer<PowerState>>
  /** Takes a lent Pi to another state of a node, or nowhere, and tells what it is then. */
  provision(
    pi: number,
    action: ProvisionAction | undefined,
    image: ImageOption | undefined,
  ): Promise<Answer<Provisioned>>
  /** Lets the user look at a lent Pi, until he has done so. */
  pause(pi: number, wish: PauseWish): Promise<Answer<void>>
  /** Does what is asked of a network of a lease. */
  network(lease: number, name: string, request: SegmentRequest): Promise<Answer<unknown>>
  /** Breaks the machine of a lent Pi, or mends it. */
  fault(pi: number, fault: MachineFault): Promise<Answer<void>>
  /** Leaves the Pis of a lease to the user, and gives the names by which they stand; none where the lab keeps no Pis. */
  keep(lease: number, why: string): Promise<Answer<string[]>>
  /** The environment of Ansible's programs, where they run in a container, which is started where it is not there yet. */
  controlNode(): Promise<Answer<Record<string, string>>>
  /** Shows a line to the user, from the one place that may write to the terminal. */
  say(line: string): void
  /** A playbook of this test file has read these parts of the repository. */
  used(testFile: string, sources: SourcePaths): void
}

/** What the lab tells a worker. */
export interface WorkerFunctions {
  /** A Pi of a lease is gone, and not by its holder's wish. */
  lost(pi: number, error: SerialisedRaspiError): void
}
