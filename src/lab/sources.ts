import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BoardOption } from '../board-option.ts'
import type { Engine, PiSource } from '../engine/engine.ts'
import { isRaspiError, messageOf, RaspiError } from '../errors.ts'
import { type FrozenPi, freezeKeyOf, frozenId } from '../freeze/store.ts'
import { exclusively } from '../host/lock.ts'
import { type Log, phase } from '../host/progress.ts'
import { qemuPrograms } from '../host/requirements.ts'
import { abandoned } from '../host/scratch.ts'
import type { Image } from '../image/image.ts'
import { parseReference, type Reference } from '../image/reference.ts'
import { resolveImage } from '../image/resolve-image.ts'
import type { ImageOption } from '../image-option.ts'
import { type Board, boardOf } from '../machine/boards.ts'
import { fetchFrozen, offerFrozen } from '../share/frozen-pis.ts'
import { shelfOf } from '../share/images.ts'
import type { Share } from '../share/share.ts'
import { makeFrozen } from './make-frozen.ts'

/** What it takes to have Pis of an image. */
export interface SourceContext {
  cacheDir: string
  /** Where relative paths of images begin, and where `latest` is pinned. */
  baseDir?: string
  lockFile?: string | undefined
  /** What other machines have made. @default nothing */
  share?: Share | undefined
  /** A directory for the sockets of the machines that are started, below the run's. */
  machineDir: string
  engine: Engine
  bootTimeout: number
  /** Whether Pis are thawed where they can be, or all boot cold. */
  freezing: boolean
  log: Log
  signal: AbortSignal
  notEmulated(sentences: string[]): void
}

/**
 * What Pis of the image `option` on `boardOption` are made of: the image, made where it is not there, and the frozen Pi,
 * made where it is not there or damaged. Where this image cannot be frozen, says why and gives the image alone.
 */
export async function resolveSource(
  option: ImageOption,
  boardOption: BoardOption,
  context: SourceContext,
): Promise<PiSource> {
  const { log, signal, cacheDir, engine } = context
  const board = boardOf(boardOption, engine.isHere ? undefined : () => false)
  for (const dir of abandoned(join(cacheDir, 'tmp'), 'frozen'))
    await rm(dir, { recursive: true, force: true })
  const reference = parseReference(option, context.baseDir)
  const given = context.freezing ? await engine.given(reference, board) : undefined
  if (given) return given
  const shelf = context.share && shelfOf(context.share, cacheDir)
  const image = await resolveImage(option, {
    ...context,
    shelf,
    without: engine.isHere ? [] : qemuPrograms,
  })
  if (!board.architectures.includes(image.architecture)) {
    const able = board.architectures.join(' and ')
    throw new RaspiError(
      'options',
      `Image ${image.name} is for ${image.architecture}, and the board ${board.name} runs ${able} only.`,
    )
  }
  if (!context.freezing) return { image, board }
  try {
    return { image, board, frozen: await resolveFrozen(image, reference, board, context) }
  } catch (error) {
    signal.throwIfAborted()
    // A guest that does not boot will not boot without freezing either.
    if (isRaspiError(error) && error.kind !== 'freeze') throw error
    log(`Pis of ${image.name} boot cold, because a frozen one cannot be had here: ${messageOf(error)}`)
    return { image, board }
  }
}

async function resolveFrozen(
  image: Image,
  reference: Reference,
  board: Board,
  context: SourceContext,
): Promise<FrozenPi> {
  const { cacheDir, log, signal, engine, share } = context
  const key = freezeKeyOf(image.id, board, engine.qemuVersion)
  const id = frozenId(key)
  const found = await engine.find(id, image, board)
  if (typeof found === 'object') {
    if (share) offerFrozen(share, found)
    return found
  }
  const lock = { log, signal, waitingFor: `Frozen Pi of ${image.name}` }
  return exclusively(join(cacheDir, 'frozen'), lock, async () => {
    const made = await engine.find(id, image, board)
    if (typeof made === 'object') return made
    if (!made && share && (await fetchFrozen(share, { cacheDir, id }, signal))) {
      const fetched = await engine.find(id, image, board)
      if (typeof fetched === 'object') return fetched
      log(`The frozen Pi of ${image.name} that was shared is not used: ${fetched}`)
    }
    if (made) log(`The frozen Pi of ${image.name} is not used and made again: ${made}`)
    const others = made ? [] : await engine.others(key)
    if (others.length > 0) {
      log(
        `The frozen Pi of ${image.name} in the cache was frozen on QEMU ${others.join(' and on QEMU ')}, and this is ${key.qemuVersion}: a new one is made`,
      )
    }
    return phase(log, `Freezing a booted Pi of ${image.name}, once (about a minute)`, () =>
      makeFrozen({ about: { id, key }, image, reference, board, mustBeWarm: true }, context),
    )
  })
}
