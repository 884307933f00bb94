import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, RaspiError } from '../errors.ts'
import { type Booted, freeze, keepFrozen } from '../freeze/freeze.ts'
import {
  type FrozenPi,
  frozenAt,
  frozenDir,
  frozenFiles,
  type Manifest,
  readFrozen,
  sealFrozen,
} from '../freeze/store.ts'
import { privateDir } from '../host/paths.ts'
import { scratchName } from '../host/scratch.ts'
import type { Image } from '../image/image.ts'
import type { Board } from '../machine/boards.ts'
import { LivePi, type PiSource } from './live-pi.ts'
import type { SourceContext } from './sources.ts'

/** A frozen Pi that is to be made. */
export interface FrozenPlan {
  about: Omit<Manifest, 'files' | keyof Booted>
  image: Image
  board: Board
  /**
   * Makes its card at a path that is as deep below the cache as its final place: what the card lies on is named by a
   * relative path, so that the cache can be moved (a CI cache is unpacked wherever it pleases).
   */
  makeCard(path: string): Promise<unknown>
  /** See {@link import('../freeze/freeze.ts').FreezeSubject.mustBeWarm}. */
  mustBeWarm: boolean
}

/** Makes a frozen Pi, sees a copy of it come to life, and keeps it in the cache. Throws a `RaspiError` where that fails. */
export async function makeFrozen(plan: FrozenPlan, context: SourceContext): Promise<FrozenPi> {
  const { image, board, about, mustBeWarm } = plan
  const { cacheDir } = context
  const dir = privateDir(cacheDir, 'tmp', scratchName('frozen'))
  const machineDir = privateDir(context.machineDir, `f${++made}`)
  try {
    await plan.makeCard(join(dir, frozenFiles.card))
    const booted = await freeze({ image, board, mustBeWarm }, { ...context, dir, machineDir })
    const frozen = await frozenAt(dir, await sealFrozen(dir, { ...about, ...booted }), image, board)
    await checkByThaw({ image, board, frozen }, machineDir, context)
    const place = frozenDir(cacheDir, about.id)
    await keepFrozen(frozen, place)
    const kept = await readFrozen(cacheDir, about.id, image, board, about.parent)
    if (typeof kept === 'object') return kept
    throw new RaspiError(
      'freeze',
      `The frozen Pi could not be kept in ${place}: ${kept ?? 'it is not there'}`,
    )
  } finally {
    await rm(dir, { recursive: true, force: true })
    await rm(machineDir, { recursive: true, force: true })
  }
}

let made = 0

/** A frozen Pi counts only once a copy of it has been thawed and logged in to. */
async function checkByThaw(source: PiSource, dir: string, context: SourceContext): Promise<void> {
  try {
    const pi = await LivePi.start(source, {
      ...context,
      number: 0,
      hostname: 'pi-check',
      dir: join(dir, 'c'),
      timeoutMs: 120_000,
    })
    await pi.end()
  } catch (error) {
    context.signal.throwIfAborted()
    throw new RaspiError('freeze', `a thawed copy did not come to life: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
