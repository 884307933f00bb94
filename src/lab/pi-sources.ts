import type { BoardOption } from '../board-option.ts'
import type { Engine, PiSource } from '../engine/engine.ts'
import { RaspiError } from '../errors.ts'
import { privateDir } from '../host/paths.ts'
import type { ImageOption } from '../image-option.ts'
import type { ResolvedOptions } from '../options.ts'
import type { Share } from '../share/share.ts'
import type { PiStarter, StarterContext } from './pi-starter.ts'
import type { Prepare, PrepareContext } from './prepare.ts'
import type { LeaseRequest, Preparation } from './protocol.ts'
import { resolveSource, type SourceContext } from './sources.ts'

/** Where the user's project is, for what images say of it. */
export interface LabPlace {
  /** Where relative paths of images begin. @default the working directory */
  baseDir?: string
  /** Where `latest` is pinned. @default nowhere */
  lockFile?: string | undefined
  /** Where playbooks are. @default the working directory */
  projectDir?: string
}

/** What it takes to have what Pis are made of. */
export interface PiSourcesContext extends StarterContext {
  options: ResolvedOptions
  cacheDir: string
  place: LabPlace
  prepare: Prepare | undefined
  /** The Ansible that prepares Pis. */
  ansible(): Promise<Pick<PrepareContext, 'ansibleVersion' | 'programEnv'>>
  share: Share | undefined
  starter: PiStarter
  /**
   * Waits until so many Pis may live, and gives what returns their places. Throws a `RaspiError` where that can never be, which
   * says that `holder` asks for them.
   */
  room(count: number, holder: string): Promise<() => void>
}

/**
 * What the Pis of a run are made of: images, frozen Pis and layers, each made or looked for once, and once more where the engine
 * has lost a part of itself.
 */
export class PiSources {
  readonly #context: PiSourcesContext
  readonly #sources = new Map<string, Promise<PiSource>>()
  readonly #layers = new Map<string, Promise<PiSource[]>>()
  #engine: Engine | undefined

  constructor(context: PiSourcesContext) {
    this.#context = context
  }

  /** What each Pi of `request` is made of. Throws a `RaspiError` where that cannot be had. */
  async of({ image, board, pis, prepare }: LeaseRequest): Promise<PiSource[]> {
    const source = await this.ofImage(image, board)
    if (!prepare) return pis.map(() => source)
    return once(this.#layers, this.#key(image, board, prepare), () => this.#makeLayers(source, prepare))
  }

  /** What Pis of `image` are made of that nothing is prepared on. Throws a `RaspiError` where that cannot be had. */
  ofImage(image: ImageOption, board: BoardOption): Promise<PiSource> {
    return once(this.#sources, this.#key(image, board), () => this.#makeSource(image, board))
  }

  /** The same for somebody who may ask again: what could not be had is tried anew then. */
  async tryImage(image: ImageOption, board: BoardOption): Promise<PiSource> {
    const key = this.#key(image, board)
    try {
      return await this.ofImage(image, board)
    } catch (error) {
      this.#sources.delete(key)
      throw error
    }
  }

  /** Looks anew, the next time, whether what Pis are prepared by has changed, and for what could not be had. */
  lookAnew(): void {
    this.#layers.clear()
    for (const [key, made] of this.#sources) made.catch(() => this.#sources.delete(key))
  }

  /** Settles when nothing is being made any more, nor shared. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#sources.values(), ...this.#layers.values()])
    await this.#context.share?.close()
  }

  #key(...about: unknown[]): string {
    return JSON.stringify([...about, this.#engine?.losses ?? 0])
  }

  async #makeSource(image: ImageOption, board: BoardOption): Promise<PiSource> {
    const source = await resolveSource(image, board, await this.#sourceContext())
    this.#context.notEmulated(source.frozen?.notEmulated ?? [])
    return source
  }

  async #makeLayers(source: PiSource, preparation: Preparation): Promise<PiSource[]> {
    const { prepare, ansible, signal, room, starts, starter } = this.#context
    if (!prepare) throw new RaspiError('lab', 'This lab cannot prepare Pis.')
    return prepare(source, preparation, {
      ...{ ...(await this.#sourceContext()), ...(await ansible()) },
      room: (count) => room(count, 'A preparation'),
      start: (from, hostname) => starter.start(from, signal, { hostname }),
      end: (pi) => starter.end(pi),
      turn: async (work) => {
        const leave = await starts.enter(1, signal)
        return work().finally(leave)
      },
    })
  }

  async #sourceContext(): Promise<SourceContext> {
    const { engine, cacheDir, place, runDir, options, log, signal, notEmulated, share } = this.#context
    this.#engine = await engine()
    return {
      ...{ engine: this.#engine, log, signal, notEmulated, share, ...place },
      cacheDir: privateDir(cacheDir),
      machineDir: runDir.path,
      bootTimeout: options.bootTimeout,
      freezing: options.freeze,
    }
  }
}

/** What could not be had once is not tried again in the same run: every test would wait for the same failure. */
function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const made = known.get(key) ?? make()
  made.catch(() => {})
  known.set(key, made)
  return made
}
