import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isRaspiError, messageOf, RaspiError } from '../errors.ts'
import { freeze, keepFrozen } from '../freeze/freeze.ts'
import { type FrozenPi, frozenDir, frozenId, readFrozen } from '../freeze/store.ts'
import { markUsed } from '../host/last-use.ts'
import { exclusively } from '../host/lock.ts'
import { privateDir } from '../host/paths.ts'
import { type Log, phase } from '../host/progress.ts'
import { abandoned, scratchName } from '../host/scratch.ts'
import type { Image } from '../image/image.ts'
import { resolveImage } from '../image/resolve-image.ts'
import { type Board, boards } from '../machine/boards.ts'
import { LivePi, type PiSource } from './live-pi.ts'

/** What it takes to have Pis of an image. */
export interface SourceContext {
  cacheDir: string
  /** A directory for the sockets of the machines that are started, below the run's. */
  machineDir: string
  qemu: string
  qemuVersion: string
  qemuImg: string
  bootTimeout: number
  /** Whether Pis are thawed where they can be, or all boot cold. */
  freezing: boolean
  log: Log
  signal: AbortSignal
  note(pid: number): void
  /** Throws where this host cannot build an image. */
  assertBuilder(): Promise<void>
}

/**
 * What Pis of `imageName` on `boardName` are made of: the image, built where it is not there, and the frozen Pi, made
 * where it is not there or damaged. Where this image cannot be frozen, says why and gives the image alone.
 */
export async function resolveSource(
  imageName: string,
  boardName: string,
  context: SourceContext,
): Promise<PiSource> {
  const { log, signal, cacheDir } = context
  const board: Board | undefined = (boards as Record<string, Board>)[boardName]
  if (!board)
    throw new RaspiError(
      'options',
      `There is no board ${boardName}: choose one of ${Object.keys(boards).join(', ')}.`,
    )
  for (const dir of abandoned(join(cacheDir, 'tmp'), 'frozen'))
    await rm(dir, { recursive: true, force: true })
  const image = await resolveImage(imageName, { cacheDir, log, signal, beforeBuild: context.assertBuilder })
  await markUsed(dirname(image.path))
  if (!context.freezing) return { image, board }
  try {
    const frozen = await resolveFrozen(image, board, context)
    await markUsed(frozen.dir)
    return { image, board, frozen }
  } catch (error) {
    signal.throwIfAborted()
    // A guest that does not boot will not boot without freezing either.
    if (isRaspiError(error) && error.kind !== 'freeze') throw error
    log(`Pis of ${image.name} boot cold, because a frozen one cannot be had here: ${messageOf(error)}`)
    return { image, board }
  }
}

async function resolveFrozen(image: Image, board: Board, context: SourceContext): Promise<FrozenPi> {
  const { cacheDir, log, signal, qemuVersion } = context
  const id = frozenId({
    image: image.id,
    board: board.name,
    qemuVersion,
    kernelParameters: board.kernelParameters,
  })
  const found = await readFrozen(cacheDir, id, image, board)
  if (typeof found === 'object') return found
  const lock = { log, signal, waitingFor: `Frozen Pi of ${image.name}` }
  return exclusively(join(cacheDir, 'frozen'), lock, async () => {
    const made = await readFrozen(cacheDir, id, image, board)
    if (typeof made === 'object') return made
    if (made) log(`The frozen Pi of ${image.name} is not used and made again: ${made}`)
    return phase(log, `Freezing a booted Pi of ${image.name}, once (about a minute)`, () =>
      make(id, image, board, context),
    )
  })
}

async function make(id: string, image: Image, board: Board, context: SourceContext): Promise<FrozenPi> {
  // As deep below the cache as its final place: the card names the image by a relative path.
  const dir = privateDir(context.cacheDir, 'tmp', scratchName('frozen'))
  const machineDir = privateDir(context.machineDir, `f${Date.now() % 100_000}`)
  try {
    const frozen = await freeze(id, image, board, { ...context, dir, machineDir })
    await checkByThaw({ image, board, frozen }, machineDir, context)
    const place = frozenDir(context.cacheDir, id)
    await keepFrozen(frozen, place)
    const kept = await readFrozen(context.cacheDir, id, image, board)
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
