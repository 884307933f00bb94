import type { EngineChoice } from '../../engine-option.ts'
import { messageOf, RaspiError } from '../../errors.ts'
import type { FreezeKey, FrozenPi } from '../../freeze/store.ts'
import { orAborted } from '../../host/or-aborted.ts'
import type { Image } from '../../image/image.ts'
import type { Reference } from '../../image/reference.ts'
import type { Board } from '../../machine/boards.ts'
import type { Place } from '../../machine/place.ts'
import { type HostSize, roomOn } from '../capacity.ts'
import type { Engine, FrozenPlan, PiSource, Workshop } from '../engine.ts'
import { SilentEngine } from './calls.ts'
import { connectDocker } from './client.ts'
import { DockerEngine, type DockerEngineContext } from './docker-engine.ts'

/**
 * Connects to the engines that `choice` names, and tells `sized` what they have for Pis, then and whenever one is lost. Throws a
 * `RaspiError` where one cannot be used.
 */
export async function connectEngines(
  { docker, image, frozen }: Exclude<EngineChoice, string>,
  context: Omit<DockerEngineContext, 'address' | 'image' | 'frozen'>,
  sized: (engines: readonly HostSize[]) => void,
): Promise<Engine> {
  const addresses = docker === true ? [undefined] : [docker].flat()
  const [client, ...more] = await Promise.all(
    addresses.map((address) => connectDocker(address, { signal: context.signal })),
  )
  if (!client) throw new RaspiError('options', 'The option engine names no Docker engine.')
  const other = more.find(({ architecture }) => architecture !== client.architecture)
  if (other) {
    const [one, two] = [client, other].map(({ name, architecture }) => `${name} is of ${architecture}`)
    throw new RaspiError('host', `${one} and ${two}, so that what one freezes the other cannot thaw.`, {
      hint: 'Name engines of one architecture.',
    })
  }
  const chosen = { ...context, image, frozen }
  const making = DockerEngine.on(client, chosen)
  // Each engine would build another one.
  const alike = image === undefined && frozen === undefined ? making : undefined
  const [first, ...others] = await Promise.all([
    making,
    ...more.map(async (client) => DockerEngine.on(client, chosen, await alike)),
  ])
  sized([first, ...others].map(({ size }) => size))
  return others.length === 0 ? first : new Engines(first, others, { log: context.log, sized })
}

/** Who is told of what becomes of several engines. */
interface EnginesContext {
  log(line: string): void
  /** Told of those that are left where one is lost. */
  sized(engines: readonly HostSize[]): void
}

/**
 * Several engines as one: each Pi goes to that which has the fewest for its room. What is frozen on one is copied to another
 * when that is to thaw it. One that fails is left alone; what it had is lost, and the rest goes on.
 */
export class Engines implements Engine {
  readonly qemuVersion: string
  readonly isHere = false
  readonly #engines: readonly DockerEngine[]
  readonly #context: EnginesContext
  readonly #busy = new Map<DockerEngine, number>()
  readonly #failed = new Set<DockerEngine>()
  /** Where frozen Pis were made that do not count yet: they are tried there, and not copied. */
  readonly #trials = new WeakMap<FrozenPi, DockerEngine>()
  readonly #copying = new Map<string, Promise<void>>()

  /** Throws a `RaspiError` where they have different images for Pis. */
  constructor(first: DockerEngine, others: readonly DockerEngine[], context: EnginesContext) {
    this.#engines = [first, ...others]
    this.#context = context
    this.qemuVersion = first.qemuVersion
    const other = others.find(({ qemuImage }) => qemuImage !== first.qemuImage)
    if (!other) return
    throw new RaspiError(
      'host',
      `${first.name} and ${other.name} have different images for Pis, so that what one freezes the other cannot thaw.`,
      { hint: 'Have both pull the same: engine: { docker: […], image: NAME }.' },
    )
  }

  get losses(): number {
    return this.#failed.size
  }

  open(source: PiSource, dir: string, signal: AbortSignal): Promise<Place> {
    const maker = source.frozen && this.#trials.get(source.frozen)
    return maker
      ? this.#openOn(maker, source, dir, signal)
      : this.#onBest((engine) => this.#openOn(engine, source, dir, signal), signal)
  }

  async find(
    id: string,
    image: Image,
    board: Board,
    parent?: string,
  ): Promise<FrozenPi | string | undefined> {
    const found = await Promise.all(
      this.#living.map((engine) => engine.find(id, image, board, parent).catch(() => undefined)),
    )
    return found.find((each) => typeof each === 'object') ?? found.find((each) => each !== undefined)
  }

  /** A layer is made where its Pi is. */
  workshop(plan: FrozenPlan, machineDir: string): Promise<Workshop> {
    const of = plan.of?.place
    const there = of && this.#engines.find((engine) => engine.has(of))
    return there
      ? this.#workshopOn(there, plan, machineDir)
      : this.#onBest((engine) => this.#workshopOn(engine, plan, machineDir))
  }

  given(reference: Reference, board: Board): Promise<PiSource | undefined> {
    return this.#onBest((engine) => engine.given(reference, board))
  }

  async others(_: FreezeKey): Promise<string[]> {
    return []
  }

  get #living() {
    return this.#engines.filter((engine) => !this.#failed.has(engine))
  }

  async #openOn(engine: DockerEngine, source: PiSource, dir: string, signal: AbortSignal): Promise<Place> {
    // It counts from now on: who comes while this one is being opened is to see it.
    const leave = this.#enter(engine)
    try {
      if (source.frozen) await orAborted(this.#bring(source.frozen, engine), signal)
      const place = await engine.open(source, dir, signal)
      const [end, startQemu] = [place.end.bind(place), place.startQemu.bind(place)]
      place.end = async () => {
        leave()
        await end()
      }
      place.startQemu = async (...args) => {
        const qemu = await startQemu(...args)
        void qemu.exited.then(({ why }) => why !== undefined && this.#isLost(engine, why))
        return qemu
      }
      return place
    } catch (error) {
      leave()
      throw error
    }
  }

  async #workshopOn(engine: DockerEngine, plan: FrozenPlan, machineDir: string): Promise<Workshop> {
    const workshop = await engine.workshop(plan, machineDir)
    let isKept = false
    return {
      ...workshop,
      seal: async (booted) => {
        const frozen = await workshop.seal(booted)
        this.#trials.set(frozen, engine)
        return frozen
      },
      keep: async (frozen) => {
        const kept = await workshop.keep(frozen)
        isKept = true
        return kept
      },
      close: async () => {
        await workshop.close()
        if (!isKept) await this.#isLost(engine, 'a Pi could not be frozen there')
      },
    }
  }

  #load(engine: DockerEngine): number {
    return this.#busy.get(engine) ?? 0
  }

  /** How much of its room is taken, with one Pi more. */
  #fullness(engine: DockerEngine): number {
    return (this.#load(engine) + 1) / roomOn(engine.size)
  }

  /** Counts a Pi of `engine` until what is given is called, once or more. */
  #enter(engine: DockerEngine): () => void {
    this.#busy.set(engine, this.#load(engine) + 1)
    let left = false
    return () => {
      if (!left) this.#busy.set(engine, this.#load(engine) - 1)
      left = true
    }
  }

  /** Has the least busy engine do something, and the next one where it cannot be reached. */
  async #onBest<T>(work: (engine: DockerEngine) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (;;) {
      // As long as one has room, one that has none is never the best.
      const [best] = this.#living.sort((a, b) => this.#fullness(a) - this.#fullness(b))
      if (!best) throw new RaspiError('lab', 'None of the Docker engines answers any more.')
      try {
        return await work(best)
      } catch (error) {
        signal?.throwIfAborted()
        // Not always the one that was to do it: what is frozen elsewhere is fetched from there.
        if (error instanceof SilentEngine)
          this.#lose(this.#engines.find(({ name }) => name === error.engine) ?? best, error.why)
        else if (!(await this.#isLost(best, messageOf(error)))) throw error
      }
    }
  }

  /** Whether an engine of which `why` is known does not answer; it gets no more Pis then. */
  async #isLost(engine: DockerEngine, why: string): Promise<boolean> {
    if (await engine.answers()) return false
    this.#lose(engine, why)
    return true
  }

  #lose(engine: DockerEngine, why: string) {
    if (this.#failed.has(engine)) return
    this.#failed.add(engine)
    const { log, sized } = this.#context
    log(`${engine.name} does not answer any more, and gets no more Pis: ${why}`)
    // Where none is left, that is said to who asks for a Pi.
    if (this.#living.length > 0) sized(this.#living.map(({ size }) => size))
  }

  async #bring({ container: name = '' }: FrozenPi, to: DockerEngine): Promise<void> {
    if (await to.hasImage(name)) return
    const key = `${name} ${to.name}`
    const copying = this.#copying.get(key) ?? this.#copy(name, to)
    this.#copying.set(key, copying)
    await copying.finally(() => this.#copying.delete(key))
  }

  async #copy(name: string, to: DockerEngine): Promise<void> {
    for (const from of this.#living) {
      if (from !== to && (await from.hasImage(name))) return to.copyImage(name, from)
    }
    throw new RaspiError('lab', `The engine that had the frozen Pi ${name} does not answer any more.`)
  }
}
