import { rm } from 'node:fs/promises'
import { availableParallelism, freemem } from 'node:os'
import { join } from 'node:path'
import { messageOf, RaspiError } from '../errors.ts'
import { defaultCacheDir, privateDir } from '../host/paths.ts'
import { duration, type Log } from '../host/progress.ts'
import { assertHost, type HostTools } from '../host/requirements.ts'
import type { ResolvedOptions } from '../options.ts'
import { Gate } from './gate.ts'
import { LivePi, type PiSource } from './live-pi.ts'
import type { Lease, LeaseRequest, LentPi, WantedPi } from './protocol.ts'
import { ReadyPool } from './ready-pool.ts'
import { RunDir, sweepDeadRuns } from './run-dir.ts'
import { resolveSource } from './sources.ts'

/** What one Pi may need of the host's memory, in bytes: RSS 300-490 MB of a thawed one, more once it works. */
const bytesPerPi = 700 * 1024 * 1024

/** The one owner of all machines of a run: starts them, lends them, ends them. It does nothing until asked for a Pi. */
export class Lab {
  readonly options: ResolvedOptions
  readonly runDir: RunDir
  readonly log: Log
  readonly #places: Gate
  readonly #starts: Gate
  readonly #ready: ReadyPool
  readonly #stop = new AbortController()
  readonly #leases = new Map<number, { pis: LivePi[]; leave: () => void }>()
  readonly #sources = new Map<string, Promise<PiSource>>()
  #tools: Promise<HostTools> | undefined
  #count = 0
  #swept = false

  constructor(options: ResolvedOptions, log: Log) {
    this.options = options
    this.log = log
    this.runDir = new RunDir()
    const cores = availableParallelism()
    this.#places = new Gate(
      options.maxPis ?? Math.max(1, Math.min(cores * 2, Math.floor(freemem() / bytesPerPi) - 1)),
    )
    this.#starts = new Gate(options.maxStarts ?? Math.max(1, Math.floor(cores / 2)))
    this.#ready = new ReadyPool(options.readyPis ?? Math.max(1, Math.floor(cores / 2)), {
      start: (source, signal) => this.#startAtRest(source, signal),
      end: (pi) => this.#end(pi),
      room: () => (this.#places.waiting > 0 ? 0 : this.#places.free - this.#ready.living),
    })
  }

  /** How many Pis are ready for the next leases. */
  get ready(): number {
    return this.#ready.ready
  }

  get cacheDir(): string {
    return this.options.cacheDir ?? defaultCacheDir()
  }

  /**
   * Lends the Pis of `request`, all of them or none, as soon as there is room for them. Throws a `RaspiError` where they
   * cannot be had; rejects with the reason of `signal` when the holder gives up.
   */
  async lease(
    request: LeaseRequest,
    signal: AbortSignal,
    lost: (pi: LivePi, error: RaspiError) => void,
  ): Promise<Lease> {
    const stop = AbortSignal.any([signal, this.#stop.signal])
    const wanted = request.pis.length
    this.assertRoom(wanted, request.holder)
    const source = await this.#source(request.image, request.board)
    const queued = performance.now()
    if (this.#places.free < wanted)
      this.log(
        `${request.holder} waits for ${wanted} of ${this.#places.size} Pis (${this.#places.waiting + 1} in the queue)`,
      )
    const leave = await this.#places.enter(wanted, stop)
    const queuedMs = performance.now() - queued
    const started = await Promise.allSettled(await this.#take(source, request.pis, stop))
    const pis = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failure = started.find((result) => result.status === 'rejected')
    if (failure || stop.aborted) {
      await Promise.all(pis.map((pi) => this.#end(pi)))
      leave()
      throw stop.aborted ? stop.reason : failure?.reason
    }
    const id = ++this.#count
    this.#leases.set(id, { pis, leave })
    for (const pi of pis) pi.whenLost((error) => lost(pi, error))
    await Promise.all(pis.map((pi) => pi.handOver()))
    this.#ready.refill(source)
    return {
      id,
      queuedMs,
      pis: pis.map((pi, index) => lent(pi, request.pis[index]?.name ?? pi.identity.hostname)),
    }
  }

  /** Throws a `RaspiError` where `wanted` Pis for `holder` can never live here at the same time. */
  assertRoom(wanted: number, holder: string): void {
    if (wanted <= this.#places.size) return
    throw new RaspiError(
      'lab',
      `${holder} asks for ${wanted} Pis, and at most ${this.#places.size} can live here at once.`,
      {
        hint: `One Pi takes about ${bytesPerPi / 1024 / 1024} MiB of memory. Free some, or set maxPis if you know better.`,
      },
    )
  }

  /** The Pis of a lease, none where it has ended. */
  pisOf(id: number): readonly LivePi[] {
    return this.#leases.get(id)?.pis ?? []
  }

  /** How many more Pis may live now. */
  get free(): number {
    return this.#places.free
  }

  /** Takes back the Pis of a lease and ends them. A lease that has ended already is none. */
  async release(id: number): Promise<void> {
    const lease = this.#leases.get(id)
    if (!lease) return
    this.#leases.delete(id)
    await Promise.all(lease.pis.map((pi) => this.#end(pi)))
    lease.leave()
    for (const { source } of lease.pis) this.#ready.refill(source)
  }

  /** Ends everything: what runs, what is being made, what is lent. Afterwards nothing of the run is left. */
  async close(): Promise<void> {
    this.#stop.abort(new RaspiError('cancelled', 'The run has ended.'))
    await Promise.all([this.#ready.drain(), ...[...this.#leases.keys()].map((id) => this.release(id))])
    await Promise.allSettled(this.#sources.values())
    this.runDir.remove()
  }

  /** Kills everything at once, for the moment in which this process ends. Synchronous. */
  kill(): void {
    this.#stop.abort(new RaspiError('cancelled', 'The run was interrupted.'))
    this.runDir.killNoted()
    this.runDir.remove()
  }

  /** Takes Pis for a lease that has its places: those that are ready, and new ones in place of the others. */
  async #take(source: PiSource, wanted: readonly WantedPi[], stop: AbortSignal): Promise<Promise<LivePi>[]> {
    const kept = wanted.map((pi) => (isParticular(pi) ? undefined : this.#ready.take(source, stop)))
    // What is left of the pool lives in places that are free; the lease has just taken some of them.
    await this.#ready.shrink(Math.max(0, this.#places.free), source)
    return wanted.map(
      async (pi, index) => (await this.#woken(kept[index], stop)) ?? this.#start(source, stop, pi),
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
      if (pi) await this.#end(pi)
      stop.throwIfAborted()
      return undefined
    }
  }

  async #start(source: PiSource, signal: AbortSignal, wanted: WantedPi): Promise<LivePi> {
    const leave = await this.#starts.enter(1, signal)
    try {
      const pi = await this.#bringToLife(source, signal, wanted)
      if (pi.origin === 'booted') this.log(`Pi ${pi.identity.hostname} booted in ${duration(pi.startMs)}`)
      return pi
    } finally {
      leave()
    }
  }

  /** Starts a Pi for the pool. It queues with nobody: a lease must never wait for it. */
  async #startAtRest(source: PiSource, signal: AbortSignal): Promise<LivePi> {
    const pi = await this.#bringToLife(source, AbortSignal.any([signal, this.#stop.signal]), {}, 'background')
    try {
      await pi.rest(signal)
      return pi
    } catch (error) {
      await this.#end(pi)
      throw error
    }
  }

  async #bringToLife(
    source: PiSource,
    signal: AbortSignal,
    wanted: Omit<WantedPi, 'name'>,
    priority?: 'background',
  ): Promise<LivePi> {
    const { qemu, qemuImg } = await this.#host()
    const { number = ++this.#count, sshPort } = wanted
    return LivePi.start(source, {
      ...{ number, hostname: wanted.hostname ?? `pi-${number}`, sshPort },
      dir: join(this.runDir.path, String(number)),
      ...{ qemu, qemuImg, timeoutMs: this.options.bootTimeout, signal, priority },
      note: (pid) => this.runDir.note(pid),
    })
  }

  async #end(pi: LivePi): Promise<void> {
    await pi.end()
    await rm(join(this.runDir.path, String(pi.number)), { recursive: true, force: true })
  }

  /** A source that could not be had once is not tried again: every test would wait for the same failure. */
  #source(image: string, board: string): Promise<PiSource> {
    const key = JSON.stringify([image, board])
    let source = this.#sources.get(key)
    if (!source) {
      source = this.#makeSource(image, board)
      source.catch(() => {})
      this.#sources.set(key, source)
    }
    return source
  }

  async #makeSource(image: string, board: string): Promise<PiSource> {
    const tools = await this.#host()
    return resolveSource(image, board, {
      cacheDir: privateDir(this.cacheDir),
      machineDir: this.runDir.path,
      qemu: tools.qemu,
      qemuImg: tools.qemuImg,
      qemuVersion: tools.qemuVersion,
      bootTimeout: this.options.bootTimeout,
      freezing: this.options.freeze,
      log: this.log,
      signal: this.#stop.signal,
      note: (pid) => this.runDir.note(pid),
      assertBuilder: async () => void (await assertHost(['run', 'build'], { cacheDir: this.cacheDir })),
    })
  }

  #host(): Promise<HostTools> {
    if (!this.#swept) {
      this.#swept = true
      const swept = sweepDeadRuns()
      if (swept > 0) this.log(`Cleared what ${swept} interrupted ${swept === 1 ? 'run' : 'runs'} left behind`)
    }
    this.#tools ??= assertHost(['run'], { cacheDir: this.cacheDir })
    return this.#tools
  }
}

/** Whether a Pi has to be made for its holder, and not for whoever comes. */
const isParticular = ({ hostname, sshPort, number }: WantedPi) =>
  hostname !== undefined || sshPort !== undefined || number !== undefined

/** What its holder is told of a Pi. */
export function lent(pi: LivePi, name: string): LentPi {
  const { number, identity, connection, controlPath, consoleFile, origin, startMs, spans } = pi
  return {
    number,
    name,
    hostname: identity.hostname,
    connection,
    controlPath,
    consoleFile,
    origin,
    startMs,
    spans: spans.all,
  }
}
