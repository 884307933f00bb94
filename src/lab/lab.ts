import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { Bmc } from '../bmc/bmc.ts'
import type { ControlNode } from '../control-node/control-node.ts'
import { type Capacity, capacityOf, readyOf, startsOf } from '../engine/capacity.ts'
import type { PiSource } from '../engine/engine.ts'
import { messageOf, RaspiError } from '../errors.ts'
import { availableMemory } from '../host/memory.ts'
import { orAborted } from '../host/or-aborted.ts'
import { defaultCacheDir, privateDir } from '../host/paths.ts'
import type { Log } from '../host/progress.ts'
import { RunDir } from '../host/run-dir.ts'
import { optionOf } from '../machine/boards.ts'
import type { SegmentRequest } from '../network/calls.ts'
import type { ResolvedOptions } from '../options.ts'
import { openShare } from '../share/open-share.ts'
import { Checkpoints } from './checkpoints.ts'
import { Gate } from './gate.ts'
import { LabHost } from './lab-host.ts'
import { LeaseNetworks } from './lease-networks.ts'
import { lent } from './lent.ts'
import type { LivePi } from './live-pi.ts'
import { startPiBmc } from './pi-bmc.ts'
import { type LabPlace, PiSources } from './pi-sources.ts'
import { isParticular, PiStarter } from './pi-starter.ts'
import type { Prepare } from './prepare.ts'
import type { Lease, LeaseRequest, WantedPi } from './protocol.ts'
import { Provisioning } from './provisioning.ts'
import { ReadyPool } from './ready-pool.ts'
import { sayOnce } from './say-once.ts'

/** What a lease holds. */
interface HeldLease {
  holder: string
  /** As its holder is told of it. */
  told: () => Lease
  pis: LivePi[]
  bmcs: readonly (Bmc | undefined)[]
  networks: LeaseNetworks | undefined
  leave: () => void
}

/** The one owner of all machines of a run: starts them, lends them, ends them. It does nothing until asked for a Pi. */
export class Lab {
  readonly options: ResolvedOptions
  readonly runDir: RunDir
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly provisioning: Provisioning
  readonly #places: Gate
  #capacity: Capacity
  readonly #starts: Gate
  readonly #starter: PiStarter
  readonly #sources: PiSources
  readonly #ready: ReadyPool
  readonly #host: LabHost
  readonly #stop = new AbortController()
  readonly #leases = new Map<number, HeldLease>()
  #onWaiting = () => {}
  #count = 0

  /** Without a `prepare` no Pis can be prepared. */
  constructor(options: ResolvedOptions, log: Log, prepare?: Prepare, place: LabPlace = {}) {
    this.options = options
    this.log = log
    this.runDir = new RunDir()
    const say = sayOnce(log)
    const cores = availableParallelism()
    this.#capacity = capacityOf([{ free: availableMemory(), cores }], options.maxPis)
    this.#places = new Gate(this.#capacity.pis, () => this.#onWaiting())
    this.#starts = new Gate(options.maxStarts ?? startsOf(cores))
    const starts = this.#starts
    const host = new LabHost({
      ...{ options, cacheDir: this.cacheDir, projectDir: place.projectDir ?? process.cwd() },
      ...{ runDir: this.runDir, workDir: () => this.workDir, log, signal: this.#stop.signal },
      sized: (engines) => {
        this.#capacity = capacityOf(engines, options.maxPis)
        this.#places.resize(this.#capacity.pis)
        const cores = engines.reduce((sum, engine) => sum + engine.cores, 0)
        this.#starts.resize(options.maxStarts ?? startsOf(cores))
      },
    })
    this.#host = host
    const context = {
      ...{ runDir: this.runDir, starts, bootTimeout: options.bootTimeout, log, signal: this.#stop.signal },
      engine: () => host.engine(),
      ansible: () => host.ansible(),
      notEmulated(sentences: string[]) {
        for (const sentence of sentences) say(`Not emulated: ${sentence}`)
      },
    }
    const starter = new PiStarter(context)
    this.#starter = starter
    // What other engines have frozen does not lie in the cache.
    const share =
      options.engine === 'process'
        ? openShare(options.share, { cacheDir: this.cacheDir, baseDir: place.baseDir, log })
        : undefined
    this.#sources = new PiSources({
      ...{ ...context, options, cacheDir: this.cacheDir, place, prepare, share, starter },
      room: (count, holder) => this.#room(count, holder, this.#stop.signal),
    })
    this.#ready = new ReadyPool(options.readyPis ?? readyOf(cores), {
      start: (source, signal, hurry) => starter.startAtRest(source, signal, hurry),
      end: (pi) => starter.end(pi),
      room: () => (this.#places.waiting > 0 ? 0 : this.#places.free - this.#ready.living),
    })
    const lentPi = (number: number) => this.lent(number)
    this.checkpoints = new Checkpoints({ log, starts, lent: lentPi })
    this.provisioning = new Provisioning({
      ...{ log, starts, lent: lentPi },
      sourceOf: ({ source }, image) => this.#sources.tryImage(image, optionOf(source.board)),
      wiped: (pi) => this.checkpoints.forget(pi),
    })
  }

  /** How many Pis are ready for the next leases. */
  get ready(): number {
    return this.#ready.ready
  }

  /** Where images, frozen Pis and keys are kept: an absolute path, as qemu-img and ssh take another to begin elsewhere. */
  get cacheDir(): string {
    return resolve(this.options.cacheDir ?? defaultCacheDir())
  }

  /**
   * Lends the Pis of `request`, all of them or none, as soon as there is room for them. They are on the networks of the
   * request, which end with the lease, or on `shared` ones, which are somebody else's. Throws a `RaspiError` where they
   * cannot be had; rejects with the reason of `signal` when the holder gives up.
   */
  async lease(
    request: LeaseRequest,
    signal: AbortSignal,
    lost: (pi: LivePi, error: RaspiError) => void,
    shared?: LeaseNetworks,
  ): Promise<Lease> {
    const stop = AbortSignal.any([signal, this.#stop.signal])
    await this.sized(stop)
    const wanted = request.pis.length
    this.assertRoom(wanted, request.holder)
    if (request.pis.some(({ bmc }) => bmc)) await this.#host.assertBmcs()
    const sources = await orAborted(this.#sources.of(request), stop)
    const queued = performance.now()
    if (this.#places.free < wanted)
      this.log(
        `${request.holder} waits for ${wanted} of ${this.#places.size} Pis (${this.#places.waiting + 1} in the queue)`,
      )
    const leave = await this.#room(wanted, request.holder, stop)
    const queuedMs = performance.now() - queued
    const networks = await this.#openNetworks(request, sources[0]).catch((error) => {
      leave()
      throw error
    })
    const started = await Promise.allSettled(await this.#take(sources, request.pis, shared ?? networks, stop))
    const pis = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const giveUp = async (why: unknown) => {
      await Promise.allSettled([...pis.map((pi) => this.#starter.end(pi)), networks?.close()])
      leave()
      throw why
    }
    const failure = failureIn(started)
    if (failure || stop.aborted) return giveUp(stop.aborted ? stop.reason : failure?.reason)
    const bmcs = await this.#startBmcs(pis, request.pis, stop).catch(giveUp)
    const id = ++this.#count
    const told = () => ({
      ...{ id, queuedMs },
      pis: pis.map((pi, index) => lent(pi, request.pis[index]?.name ?? pi.identity.hostname, bmcs[index])),
    })
    this.#leases.set(id, { holder: request.holder, told, pis, bmcs, networks, leave })
    for (const pi of pis) pi.machine.whenLost((error) => lost(pi, error))
    const notHandedOver = failureIn(await Promise.allSettled(pis.map((pi) => pi.handOver())))
    if (notHandedOver) {
      // Its holder does not know of it, and would never give it back.
      await this.release(id)
      throw notHandedOver.reason
    }
    this.#ready.refill(...sources)
    return told()
  }

  /** For what workers write. */
  get workDir(): string {
    return privateDir(this.runDir.path, 'workers')
  }

  /** The container that Ansible runs in, where the options want it. Throws a `RaspiError` where it cannot be had. */
  controlNode(): Promise<ControlNode | undefined> {
    return this.#host.controlNode()
  }

  /** Looks anew, at the next lease, whether what Pis are prepared by has changed, and for what was missing: for tests that are run again. */
  lookAnew(): void {
    this.#host.lookAnew()
    this.#sources.lookAnew()
  }

  /** Waits until it is known for how many Pis there is room. Throws a `RaspiError` where the engine cannot be had. */
  async sized(signal: AbortSignal): Promise<void> {
    // What there is room for elsewhere only the engine knows.
    if (this.options.engine !== 'process') await orAborted(this.#host.engine(), signal)
  }

  /** Throws a `RaspiError` where `wanted` Pis for `holder` can never live here at the same time. */
  assertRoom(wanted: number, holder: string): void {
    if (wanted <= this.#places.size) return
    throw new RaspiError(
      'lab',
      `${holder} asks for ${wanted} Pis, and at most ${this.#places.size} can live here at once.`,
      { hint: `${this.#capacity.explain(wanted)} Ask for fewer, or set maxPis if you know better.` },
    )
  }

  /** What is lent at this moment, and to whom. */
  get held(): (Lease & { holder: string })[] {
    return [...this.#leases.values()].map(({ holder, told }) => ({ holder, ...told() }))
  }

  /** The Pis of a lease, none where it has ended. */
  pisOf(id: number): readonly LivePi[] {
    return this.#leases.get(id)?.pis ?? []
  }

  /** How many wait until there is room for their Pis. */
  get waiting(): number {
    return this.#places.waiting
  }

  /** Has `listener` told of each who begins to wait for room, in place of whoever was told before. */
  onWaiting(listener: () => void): void {
    this.#onWaiting = listener
  }

  /**
   * Takes back the Pis of a lease and ends them. A lease that has ended already is none. Where something cannot be closed it
   * throws, but ends all the rest before.
   */
  async release(id: number): Promise<void> {
    const lease = this.#leases.get(id)
    if (!lease) return
    this.#leases.delete(id)
    // No BMC switches on what is being ended.
    const closed = await Promise.allSettled(lease.bmcs.map((bmc) => bmc?.close()))
    const ended = await Promise.allSettled([
      ...lease.pis.map((pi) => this.#starter.end(pi)),
      lease.networks?.close(),
    ])
    lease.leave()
    this.#ready.refill(...lease.pis.map(({ ownSource }) => ownSource))
    const failure = failureIn([...closed, ...ended])
    if (failure) throw failure.reason
  }

  /** The lent Pi of this number. Throws a `RaspiError` where it is not lent any more. */
  lent(number: number): LivePi {
    const pi = [...this.#leases.values()].flatMap(({ pis }) => pis).find((lent) => lent.number === number)
    if (pi) return pi
    throw new RaspiError('lab', `Pi ${number} has been given back.`)
  }

  /** Does what is asked of a network of a lease. Throws a `RaspiError` where there is no such network. */
  async network(id: number, name: string, request: SegmentRequest): Promise<unknown> {
    const networks = this.#leases.get(id)?.networks
    if (!networks) throw new RaspiError('lab', 'The Pis of this network have been given back.')
    return networks.answer(name, request)
  }

  /** Ends everything: what runs, what is being made, what is lent. Afterwards nothing of the run is left. */
  async close(): Promise<void> {
    this.#stop.abort(new RaspiError('cancelled', 'The run has ended.'))
    await Promise.all([this.#ready.drain(), ...[...this.#leases.keys()].map((id) => this.release(id))])
    await this.#host.close()
    await this.#sources.settled()
    this.runDir.remove()
  }

  /** Kills everything at once, for the moment in which this process ends. Synchronous. */
  kill(): void {
    this.#stop.abort(new RaspiError('cancelled', 'The run was interrupted.'))
    this.runDir.killNoted()
    this.runDir.remove()
  }

  /** Waits until `wanted` Pis for `holder` may live, and gives what returns their places. */
  async #room(wanted: number, holder: string, stop: AbortSignal): Promise<() => void> {
    // An engine may be lost before they are asked for, and while they are waited for.
    this.assertRoom(wanted, holder)
    return this.#places.enter(wanted, stop).catch((error) => {
      if (!stop.aborted) this.assertRoom(wanted, holder)
      throw error
    })
  }

  /** Takes a Pi of each of `sources` for a lease that has its places: those that are ready, and new ones. */
  async #take(
    sources: readonly PiSource[],
    wanted: readonly WantedPi[],
    networks: LeaseNetworks | undefined,
    stop: AbortSignal,
  ): Promise<Promise<LivePi>[]> {
    const pis = sources.map((source, index) => {
      const { name = '', ...particulars } = wanted[index] ?? {}
      const wish = { ...particulars, networks: networks?.of(name) }
      return { source, wish, kept: isParticular(wish) ? undefined : this.#ready.take(source, stop) }
    })
    // What is left of the pool lives in places that are free; the lease has just taken some of them.
    await this.#ready.shrink(Math.max(0, this.#places.free), sources[0])
    return pis.map(
      async ({ source, wish, kept }) =>
        (await this.#woken(kept, stop)) ?? this.#starter.start(source, stop, wish),
    )
  }

  /** Wakes a Pi of the pool; gives nothing where there is none, or where it is of no use. */
  async #woken(kept: Promise<LivePi> | undefined, stop: AbortSignal): Promise<LivePi | undefined> {
    const pi = await kept?.catch(() => undefined)
    try {
      await pi?.wake()
      return pi
    } catch (error) {
      this.log(`A Pi that was kept ready is of no use, and another is started: ${messageOf(error)}`)
      if (pi) await this.#starter.end(pi)
      stop.throwIfAborted()
      return undefined
    }
  }

  #openNetworks(
    { networks, holder }: LeaseRequest,
    source: PiSource | undefined,
  ): Promise<LeaseNetworks | undefined> {
    if (!networks || !source) return Promise.resolve(undefined)
    const dir = join(this.runDir.path, `n${++this.#count}`)
    return LeaseNetworks.open(networks, source.board, dir, (line) => this.log(`${holder}: ${line}`))
  }

  async #startBmcs(
    pis: readonly LivePi[],
    wanted: readonly WantedPi[],
    signal: AbortSignal,
  ): Promise<(Bmc | undefined)[]> {
    const started = await Promise.allSettled(
      pis.map(async (pi, index) => {
        const { name = '', bmc } = wanted[index] ?? {}
        if (!bmc) return undefined
        const dir = join(this.runDir.path, `b${pi.number}`)
        const as = bmc === true ? undefined : bmc
        return startPiBmc(pi, { name, dir, as, log: this.log, signal })
      }),
    )
    const failure = failureIn(started)
    const bmcs = started.map((result) => (result.status === 'fulfilled' ? result.value : undefined))
    if (!failure) return bmcs
    await Promise.all(bmcs.map((bmc) => bmc?.close()))
    throw failure.reason
  }
}

const failureIn = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.find((result) => result.status === 'rejected')
