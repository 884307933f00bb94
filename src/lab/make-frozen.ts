import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FrozenPlan, PiSource } from '../engine/engine.ts'
import { messageOf, RaspiError } from '../errors.ts'
import { freeze } from '../freeze/freeze.ts'
import type { FrozenPi } from '../freeze/store.ts'
import { privateDir } from '../host/paths.ts'
import { offerFrozen } from '../share/frozen-pis.ts'
import { LivePi } from './live-pi.ts'
import type { SourceContext } from './sources.ts'

/** Makes a frozen Pi, sees a copy of it come to life, and keeps it. Throws a `RaspiError` where that fails. */
export async function makeFrozen(plan: FrozenPlan, context: SourceContext): Promise<FrozenPi> {
  const { image, board, mustBeWarm } = plan
  const machineDir = privateDir(context.machineDir, `f${++made}`)
  try {
    const workshop = await context.engine.workshop(plan, machineDir)
    try {
      const { place, dir } = workshop
      const booted = await freeze({ image, board, mustBeWarm }, { ...context, place, dir })
      const frozen = await workshop.seal(booted)
      await checkByThaw({ image, board, frozen }, machineDir, context)
      const kept = await workshop.keep(frozen)
      if (context.share) offerFrozen(context.share, kept)
      return kept
    } finally {
      await workshop.close()
    }
  } finally {
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
