import { once } from 'node:events'
import { connect } from 'node:net'
import type { SourcePaths } from '../ansible/sources.ts'
import { RaspiError } from '../errors.ts'
import type { ImageOption } from '../image-option.ts'
import type { GpioPin } from '../machine/gpio.ts'
import type { SegmentRequest } from '../network/calls.ts'
import type { MachineFault } from '../pi/faults.ts'
import type { PowerAction, PowerState } from '../pi/power.ts'
import type { ProvisionAction, Provisioned } from '../pi/provision.ts'
import { openAnswer, openChannel } from './channel.ts'
import type {
  LabFunctions,
  Lease,
  LeaseRequest,
  MadeCheckpoint,
  PauseWish,
  WorkerFunctions,
} from './protocol.ts'

/** A worker's end of the lab. */
export interface LabClient {
  /** Borrows Pis; throws the lab's `RaspiError` where they cannot be had. */
  lease(request: LeaseRequest): Promise<Lease>
  /** Gives Pis back. Never throws: a lab that is gone has taken them back itself. */
  release(lease: number): Promise<void>
  /** Makes a checkpoint of a lent Pi; throws the lab's `RaspiError` where it cannot be made. */
  checkpoint(pi: number, name: string | undefined): Promise<MadeCheckpoint>
  /** Restores one; throws the lab's `RaspiError` where it cannot be had. */
  restore(pi: number, checkpoint: string): Promise<void>
  /** The pins of the lent Pi of this number. Throws the lab's `RaspiError` where it is gone. */
  gpio(pi: number): Promise<GpioPin[]>
  /**
   * Does something to its power, or nothing, and tells whether it is on. Throws the lab's `RaspiError` where that fails. Where
   * `wait` is false it waits for no first start.
   */
  power(pi: number, action: PowerAction | undefined, wait: boolean): Promise<PowerState>
  /** Takes it to another state of a node, or nowhere, and tells what it is then. Throws the lab's `RaspiError` where that cannot be. */
  provision(
    pi: number,
    action: ProvisionAction | undefined,
    image: ImageOption | undefined,
  ): Promise<Provisioned>
  /** Lets the user look at it, until he has done so. */
  pause(pi: number, wish: PauseWish): Promise<void>
  /** Does what is asked of a network of a lease. Throws the lab's `RaspiError` where that is wrong. */
  network(lease: number, name: string, request: SegmentRequest): Promise<unknown>
  /** Breaks its machine, or mends it. Throws the lab's `RaspiError` where it is off. */
  fault(pi: number, fault: MachineFault): Promise<void>
  /** Leaves Pis to the user instead of giving them back. Never throws; gives them back where they are not wanted or, of which it tells, cannot be left. */
  keep(lease: number, why: string): Promise<void>
  /**
   * What Ansible's programs are to have in their environment, so that they run in the container of the run. Throws the lab's
   * `RaspiError` where that cannot be had.
   */
  controlNode(): Promise<Record<string, string>>
  /** Shows a line to the user. */
  say(line: string): void
  /** Tells what parts of the repository a playbook of this test file has read: their change runs it again. */
  used(testFile: string, sources: SourcePaths): void
  /** Aborts when the lab is gone, and with it every Pi. */
  readonly gone: AbortSignal
  /** Aborts, with the reason, when the Pi of this number is gone. */
  lost(pi: number): AbortSignal
}

const clients = new Map<string, Promise<LabClient>>()

/** Connects to the lab at the unix socket `path`, once per worker. */
export function connectLab(path: string): Promise<LabClient> {
  let client = clients.get(path)
  if (!client) {
    client = open(path)
    clients.set(path, client)
  }
  return client
}

async function open(path: string): Promise<LabClient> {
  const socket = connect(path)
  await once(socket, 'connect')
  // A worker that has nothing else to do may end.
  socket.unref()
  const gone = new AbortController()
  const losses = new Map<number, AbortController>()
  const loss = (pi: number) => {
    const known = losses.get(pi) ?? new AbortController()
    losses.set(pi, known)
    return known
  }
  const channel = openChannel<LabFunctions, WorkerFunctions>(socket, {
    lost: (pi, error) => loss(pi).abort(RaspiError.from(error)),
  })
  const say = (line: string) => void channel.say.asEvent(line).catch(() => {})
  socket.on('close', () => gone.abort(new RaspiError('lab', 'The lab has ended, and its Pis with it.')))
  return {
    lease: async (request) => openAnswer(await channel.lease(request)),
    release: async (lease) => void (await channel.release(lease).catch(() => {})),
    checkpoint: async (pi, name) => openAnswer(await channel.checkpoint(pi, name)),
    restore: async (pi, checkpoint) => openAnswer(await channel.restore(pi, checkpoint)),
    used: (testFile, sources) => void channel.used.asEvent(testFile, sources).catch(() => {}),
    gpio: async (pi) => openAnswer(await channel.gpio(pi)),
    network: async (lease, name, request) => openAnswer(await channel.network(lease, name, request)),
    fault: async (pi, fault) => openAnswer(await channel.fault(pi, fault)),
    provision: async (pi, action, image) => openAnswer(await channel.provision(pi, action, image)),
    pause: async (pi, wish) => openAnswer(await channel.pause(pi, wish)),
    power: async (pi, action, wait) => openAnswer(await channel.power(pi, action, wait)),
    controlNode: async () => openAnswer(await channel.controlNode()),
    async keep(lease, why) {
      const kept = await channel.keep(lease, why).catch(() => undefined)
      if (kept && 'error' in kept) say(`No Pi is ${why}: ${RaspiError.from(kept.error).message}`)
      if (!kept || !('value' in kept) || kept.value.length === 0) await channel.release(lease).catch(() => {})
    },
    say,
    gone: gone.signal,
    lost: (pi) => loss(pi).signal,
  }
}
