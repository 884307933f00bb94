import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, RaspiError } from '../errors.ts'
import { duration, type Log } from '../host/progress.ts'
import { type ImageOption, nameOfImage } from '../image-option.ts'
import { Lab } from '../lab/lab.ts'
import { LeaseNetworks } from '../lab/lease-networks.ts'
import { lent } from '../lab/lent.ts'
import type { LivePi } from '../lab/live-pi.ts'
import type { Lease } from '../lab/protocol.ts'
import { boardOf, optionOf } from '../machine/boards.ts'
import { resolveOptions } from '../options.ts'
import type { PowerAction, PowerState } from '../pi/power.ts'
import type { ProvisionAction, ProvisionState } from '../pi/provision.ts'
import { type ClaimedPi, claim } from './claim.ts'
import { freeNames } from './names.ts'
import type { PiEvent, StandingPi, StandingRequest } from './protocol.ts'
import { sshConfig, staticInventory } from './ready-files.ts'
import { type LabEntry, type Registry, thisProcess } from './registry.ts'
import { serveStanding } from './serve.ts'
import { Stand, type StandNow } from './stand.ts'

/** How often a lab looks whether it is still written down, in ms. */
const lookMs = 10_000

/** Where a standing lab is written down, and who is told of its progress. */
export interface StandingContext {
  registry: Registry
  detached: boolean
  log: Log
  /** Told of the names, once they are chosen. */
  claimed(names: string[]): void
  /** Told of each Pi that is up for the first time, or there without power: then no time is told. */
  up(name: string, startMs: number | undefined): void
  /** Gives up the start. */
  signal: AbortSignal
}

/**
 * Pis that stand until they are told to go, in this process: leases of a lab of their own that nobody's test ends. Every
 * process of the user finds it by the registry.
 */
export class StandingLab {
  readonly entry: LabEntry
  /** Settles, with the reason, once the lab has ended and nothing of it is left. */
  readonly ended: Promise<string>
  readonly #lab: Lab
  readonly #groupChildren: Record<string, string[]>
  readonly #wish: Pick<StandingRequest, 'bmc' | 'start' | 'networks'>
  readonly #registry: Registry
  readonly #pis = new Map<string, Stand>()
  readonly #stop = new AbortController()
  readonly #end = Promise.withResolvers<string>()
  readonly #kill = () => this.#leaveAtOnce()
  readonly #looks: NodeJS.Timeout
  #networks: LeaseNetworks | undefined
  #closing: Promise<void> | undefined
  #lastEndsIt = true
  /** Whether its Pis are what tests have left: only these can make others like them. */
  #isOfTests = false

  private constructor(
    lab: Lab,
    request: Pick<StandingRequest, 'groupChildren' | 'bmc' | 'start' | 'networks'>,
    registry: Registry,
    entry: LabEntry,
  ) {
    this.#lab = lab
    this.#groupChildren = request.groupChildren
    this.#wish = request
    this.#registry = registry
    this.entry = entry
    this.ended = this.#end.promise
    process.on('exit', this.#kill)
    this.#looks = setInterval(() => this.#writeMissing(), lookMs).unref()
  }

  /**
   * Brings the Pis of `request` up, all of them or none, except those taken down meanwhile. Throws a `RaspiError`;
   * nothing is left of it then.
   */
  static async start(
    request: StandingRequest,
    context: StandingContext,
    lab: Lab = labFor(request, context.log),
  ): Promise<StandingLab> {
    const { registry, detached, signal } = context
    const { lifetimeMs } = request
    const { image, board } = lab.options
    const now = Date.now()
    const entry: LabEntry = {
      ...{ process: thisProcess(), socket: join(lab.runDir.path, 'standing'), detached, image, board },
      since: new Date(now).toISOString(),
      ...(lifetimeMs === undefined ? {} : { until: new Date(now + lifetimeMs).toISOString() }),
      pis: [],
    }
    const standing = new StandingLab(lab, request, registry, entry)
    const giveUp = () => void standing.close('it was interrupted')
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      signal.throwIfAborted()
      await lab.sized(signal)
      lab.assertRoom(typeof request.pis === 'number' ? request.pis : request.pis.length, 'vitest-raspi up')
      const claimed = await claim(request, registry, entry)
      await standing.#openNetworks(claimed)
      context.claimed(claimed.map(({ name }) => name))
      await serveStanding(standing, entry.socket)
      for (const spec of claimed) standing.#pis.set(spec.name, new Stand(spec))
      if (lifetimeMs !== undefined)
        setTimeout(() => void standing.close('its time was over'), lifetimeMs).unref()
      const pis = [...standing.#pis.values()]
      await Promise.all(
        pis.map(async (pi) => {
          const lease = await pi
            .inTurn(() => standing.#start(pi))
            .catch((error) => {
              if (!pi.down.aborted) throw error
            })
          if (!lease || pi.down.aborted) return
          context.up(pi.spec.name, (request.start ?? 'on') === 'on' ? lease.pis[0]?.startMs : undefined)
        }),
      )
      signal.throwIfAborted()
      if (pis.every(({ down }) => down.aborted)) {
        // Whoever has taken them down is answered before.
        await standing.ended
        throw new RaspiError('cancelled', 'No Pi is up: each was taken down while it started.')
      }
      return standing
    } catch (error) {
      await standing.close('it could not start')
      signal.throwIfAborted()
      throw error
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  /** Lets Pis of a lab that is somebody else's stand beside those it lends: none until {@link keep}, up to {@link hold}. */
  static async beside(lab: Lab, registry: Registry): Promise<StandingLab> {
    const { image, board } = lab.options
    const standing = new StandingLab(lab, { groupChildren: {} }, registry, {
      ...{ process: thisProcess(), socket: join(lab.runDir.path, 'standing'), detached: false },
      ...{ image, board, since: new Date().toISOString(), pis: [] },
    })
    standing.#lastEndsIt = false
    standing.#isOfTests = true
    await serveStanding(standing, standing.entry.socket)
    return standing
  }

  /** Lets the Pis of a lease stand, which nobody else may release any more. Gives their names. */
  async keep(id: number, why: string): Promise<string[]> {
    return this.#registry.exclusively(async () => {
      const taken = new Set(this.#registry.entries().flatMap(({ pis }) => pis.map(({ name }) => name)))
      const names: string[] = []
      for (const live of this.#lab.pisOf(id)) {
        const { hostname } = live.identity
        const name = taken.has(hostname) ? (freeNames(1, taken)[0] ?? hostname) : hostname
        taken.add(name)
        names.push(name)
        const pi = new Stand({
          ...{ name, hostname, sshPort: live.connection.port, groups: [], vars: {} },
          ...{ image: live.source.image.name, board: optionOf(live.source.board) },
        })
        pi.isUp({ id, queuedMs: 0, pis: [lent(live, name)] }, why)
        live.machine.whenLost((error) => pi.isLost(error))
        this.#pis.set(name, pi)
      }
      this.#writeDown()
      return names
    })
  }

  /** Ends what has stood longest until nobody waits for its place, or none stands any more. */
  async giveWay(): Promise<void> {
    for (const [name] of this.#pis) {
      if (this.#lab.waiting === 0) return
      await this.down([name]).catch(() => {})
    }
  }

  /** Goes on with just the Pis that stand, for at most `lifetimeMs`. Gives the reason of its end. */
  hold(lifetimeMs: number): Promise<string> {
    this.#lastEndsIt = true
    if (this.#pis.size === 0) void this.close('no Pi stands')
    setTimeout(() => void this.close('its time was over'), lifetimeMs).unref()
    return this.ended
  }

  list(): StandingPi[] {
    return [...this.#pis.values()].map((pi) => pi.status(this.#now(pi)))
  }

  events(name: string): PiEvent[] {
    return this.#find(name).events
  }

  /**
   * Ends these Pis and brings fresh ones in their place, of the same names and ssh ports. Throws a `RaspiError`, and
   * leaves them alone, where they are what a test has left.
   */
  async reset(names: readonly string[]): Promise<StandingPi[]> {
    const pis = this.#findAll(names)
    if (this.#isOfTests) {
      throw new RaspiError(
        'lab',
        `Pi ${names[0]} cannot be made fresh: a test has left it, and only that makes another.`,
        {
          hint: `\`vitest-raspi down ${names[0]}\` ends it; run the test again for a fresh one.`,
        },
      )
    }
    await Promise.all(
      pis.map((pi) =>
        pi.inTurn(async () => {
          await this.#release(pi, 'ended, to be made fresh')
          await this.#start(pi)
        }),
      ),
    )
    return pis.map((pi) => pi.status(this.#now(pi)))
  }

  /** Does something to the power of a Pi, or nothing, and tells whether it has any. */
  async power(name: string, action: PowerAction | undefined): Promise<PowerState> {
    const pi = this.#find(name)
    if (action) pi.assertNotLost()
    const state = await this.#live(pi).changePower(action)
    if (action) pi.note(`power ${action}`)
    return state
  }

  /** Takes a Pi to another state of a node, or nowhere, and tells which it is in. */
  async provision(
    name: string,
    action: ProvisionAction | undefined,
    image: ImageOption | undefined,
  ): Promise<ProvisionState> {
    const pi = this.#find(name)
    if (action) pi.assertNotLost()
    const live = this.#live(pi)
    const before = live.provision
    const { state } = await this.#lab.provisioning.change(live.number, action, image).catch((error) => {
      // What was refused has not been begun.
      if (live.provision !== before) pi.note(`${live.provision}: ${messageOf(error)}`)
      throw error
    })
    if (!action) return state
    if (action === 'deploy') pi.image = nameOfImage(image ?? pi.spec.image)
    pi.note(`${action}: ${state}`)
    // What was deployed may be reached in another way.
    if (pi.lease && pi.lent) pi.lease = { ...pi.lease, pis: [{ ...lent(live, name), bmc: pi.lent.bmc }] }
    this.#writeDown()
    return state
  }

  /** Ends these Pis, and the lab with its last one. */
  async down(names: readonly string[]): Promise<void> {
    const pis = this.#findAll(names)
    for (const pi of pis) pi.takeDown()
    await Promise.all(pis.map((pi) => pi.inTurn(() => this.#release(pi, 'ended'))))
    for (const { spec } of pis) this.#pis.delete(spec.name)
    this.#writeDown()
    // Whoever has asked for it is answered first.
    if (this.#pis.size === 0 && this.#lastEndsIt)
      setTimeout(() => void this.close('its last Pi was taken down'), 50)
  }

  /** Ends every Pi and leaves nothing behind. */
  close(why: string): Promise<void> {
    this.#closing ??= (async () => {
      clearInterval(this.#looks)
      this.#stop.abort(new RaspiError('cancelled', `The lab has ended: ${why}.`))
      await this.#networks?.close()
      await this.#lab.close()
      this.#registry.remove(this.entry)
      process.off('exit', this.#kill)
      this.#end.resolve(why)
    })()
    return this.#closing
  }

  /** Opens the networks that these Pis are on, and that outlast each of them. */
  async #openNetworks(claimed: readonly ClaimedPi[]): Promise<void> {
    const pis = claimed.map(({ name, networks }) => ({
      name,
      networks: networks ?? this.#wish.networks ?? [],
    }))
    const names = new Set(pis.flatMap(({ networks }) => networks))
    if (names.size === 0) return
    const { runDir, options, log } = this.#lab
    const wanted = { seed: 'vitest-raspi up', networks: [...names].map((name) => ({ name })), pis }
    this.#networks = await LeaseNetworks.open(wanted, boardOf(options.board), join(runDir.path, 'n'), log)
  }

  /** Starts a Pi; where it has been up, in the place of the one that it was, at the same addresses. */
  async #start(pi: Stand): Promise<Lease> {
    const { name, hostname, sshPort, image, board } = pi.spec
    const { start = 'on', bmc } = this.#wish
    const before = pi.lentLast
    pi.starts()
    try {
      const lease = await this.#lab.lease(
        {
          holder: `vitest-raspi up ${name}`,
          pis: [
            {
              ...{ name, hostname, sshPort, off: start === 'off', enrolled: start === 'enrolled' },
              ...(before && { number: before.number }),
              bmc: bmc && (before?.bmc ?? true),
            },
          ],
          image,
          board,
        },
        AbortSignal.any([this.#stop.signal, pi.down]),
        (_, error) => pi.isLost(error),
        this.#networks,
      )
      const [{ origin, startMs } = { origin: 'thawed', startMs: 0 }] = lease.pis
      const how = start === 'on' ? `${origin} in ${duration(startMs)}` : start
      pi.isUp(lease, `${how}, ssh on port ${sshPort}`)
      this.#writeDown()
      return lease
    } catch (error) {
      pi.isLost(error)
      throw error
    }
  }

  async #release(pi: Stand, why: string): Promise<void> {
    const { lease } = pi
    pi.lease = undefined
    if (lease) await this.#lab.release(lease.id)
    pi.note(why)
  }

  /** These Pis, and those that were lent together with them: they end together. */
  #findAll(names: readonly string[]): Stand[] {
    const named = names.map((name) => this.#find(name))
    const leases = new Set(named.map(({ lease }) => lease?.id))
    return [...this.#pis.values()].filter((pi) => named.includes(pi) || (pi.lease && leases.has(pi.lease.id)))
  }

  #find(name: string): Stand {
    const pi = this.#pis.get(name)
    if (pi) return pi
    throw new RaspiError('lab', `There is no Pi ${name} any more.`)
  }

  #now(pi: Stand): StandNow {
    const live = this.#liveOf(pi)
    // One without a lease is being started.
    if (!live) return { power: 'on' }
    const { power, provision } = live
    const isNode = pi.lent?.bmc || this.#wish.start === 'enrolled' || provision !== 'active'
    return { power: power.state, provision: isNode ? provision : undefined }
  }

  #liveOf({ lease, lent }: Stand): LivePi | undefined {
    return lease && this.#lab.pisOf(lease.id).find(({ number }) => number === lent?.number)
  }

  #live(pi: Stand): LivePi {
    const live = this.#liveOf(pi)
    if (live) return live
    throw new RaspiError('lab', `Pi ${pi.spec.name} is not up.`, {
      hint: `Wait for it where it is starting; \`vitest-raspi reset ${pi.spec.name}\` makes it fresh.`,
    })
  }

  /** Writes what other processes and tools read: the entry, the inventory, the ssh configuration. */
  #writeDown() {
    if (this.#closing) return
    const specs = [...this.#pis.values()].map(({ spec }) => spec)
    this.entry.pis = specs.map(({ name, sshPort }) => ({ name, sshPort }))
    this.#registry.write(this.entry)
    const ready = [...this.#pis.values()].flatMap((pi) => pi.ready())
    const inventory = staticInventory(ready, this.#groupChildren, join(this.#lab.runDir.path, 'cp'))
    this.#registry.writePart('inventory', this.entry, `${JSON.stringify(inventory, undefined, 2)}\n`)
    this.#registry.writePart('ssh', this.entry, sshConfig(ready))
  }

  /** $XDG_RUNTIME_DIR goes with the user's last session; the lab stands on, and is to be found from the next one. */
  #writeMissing() {
    // Until it has Pis, what is written of it is only its claim.
    if (this.#pis.size === 0 || this.#registry.has(this.entry)) return
    try {
      this.#registry.open()
      this.#writeDown()
    } catch {
      // There is no session.
    }
  }

  #leaveAtOnce() {
    this.#lab.kill()
    this.#registry.remove(this.entry)
    rmSync(this.entry.socket, { force: true })
  }
}

function labFor({ options, lockFile }: StandingRequest, log: Log): Lab {
  // Each has a name and a port of its own from the start: none that is ready would do. What is pinned counts for them, and
  // for what is deployed on them later.
  return new Lab(resolveOptions({ ...options, readyPis: 0 }), log, undefined, { lockFile })
}
