import { constants, copyFile, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { RaspiError } from '../errors.ts'
import { keepFrozen } from '../freeze/freeze.ts'
import {
  type FreezeKey,
  type FrozenPi,
  frozenAt,
  frozenDir,
  frozenFiles,
  otherVersions,
  readFrozen,
  sealFrozen,
} from '../freeze/store.ts'
import { privateDir } from '../host/paths.ts'
import { scratchName } from '../host/scratch.ts'
import type { Image } from '../image/image.ts'
import type { Board } from '../machine/boards.ts'
import { makeCard, rebaseCard } from '../machine/card.ts'
import { HostPlace, type QemuTools } from '../machine/host-place.ts'
import type { Place } from '../machine/place.ts'
import type { Engine, FrozenPlan, PiSource, Workshop } from './engine.ts'

/** What it takes to run Pis on this host. */
export interface HostEngineContext extends QemuTools {
  cacheDir: string
  /** Told of each process that must not outlive the run. */
  note(pid: number): void
}

/** This host as an engine: QEMUs are its processes, frozen Pis lie in the cache. */
export class HostEngine implements Engine {
  readonly qemuVersion: string
  readonly isHere = true
  readonly #context: HostEngineContext

  constructor(context: HostEngineContext) {
    this.qemuVersion = context.qemuVersion
    this.#context = context
  }

  async given(): Promise<undefined> {
    return undefined
  }

  async open(source: Pick<PiSource, 'image'>, dir: string): Promise<Place> {
    const base = { path: source.image.path, format: 'raw' } as const
    return new HostPlace(dir, base, this.#context, (pid) => this.#context.note(pid))
  }

  find(id: string, image: Image, board: Board, parent?: string): Promise<FrozenPi | string | undefined> {
    return readFrozen(this.#context.cacheDir, id, image, board, parent)
  }

  others(key: FreezeKey): Promise<string[]> {
    return otherVersions(this.#context.cacheDir, key)
  }

  async workshop({ about, image, board, of }: FrozenPlan, machineDir: string): Promise<Workshop> {
    const { cacheDir } = this.#context
    const dir = privateDir(cacheDir, 'tmp', scratchName('frozen'))
    const place = await this.open({ image }, machineDir)
    const close = () => rm(dir, { recursive: true, force: true })
    const card = join(dir, frozenFiles.card)
    // What a card lies on is named by a relative path, so that the cache can be moved: a CI cache is unpacked wherever it
    // pleases. Its final place is as deep below the cache as this one.
    const from = (path: string) => relative(dirname(card), path)
    try {
      if (of) {
        await copyFile(of.card, card, constants.COPYFILE_FICLONE)
        await rebaseCard(place, card, { path: from(of.parent.files.card), format: 'qcow2' })
      } else await makeCard(place, { ...place.base, path: from(place.base.path) }, card)
    } catch (error) {
      await close()
      throw error
    }
    return {
      ...{ place, dir, close },
      seal: async (booted) => frozenAt(dir, await sealFrozen(dir, { ...about, ...booted }), image, board),
      keep: async (frozen) => {
        const kept = frozenDir(cacheDir, about.id)
        await keepFrozen(frozen, kept)
        const found = await this.find(about.id, image, board, about.parent)
        if (typeof found === 'object') return found
        throw new RaspiError(
          'freeze',
          `The frozen Pi could not be kept in ${kept}: ${found ?? 'it is not there'}`,
        )
      },
    }
  }
}
