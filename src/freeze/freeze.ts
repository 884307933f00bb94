import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RaspiError } from '../errors.ts'
import { readBootPlan } from '../firmware/boot-plan.ts'
import { privateDir } from '../host/paths.ts'
import { elapsed, type Log } from '../host/progress.ts'
import type { Image } from '../image/image.ts'
import type { Board } from '../machine/boards.ts'
import { readBootPart } from '../machine/card.ts'
import { Machine } from '../machine/machine.ts'
import type { Place } from '../machine/place.ts'
import { ServiceShell } from '../machine/service-shell.ts'
import { migrateOut } from './migrate.ts'
import { pauseBetweenInterrupts } from './pause.ts'
import { type FrozenPi, frozenFiles } from './store.ts'
import { keepLogsScript, warmScript } from './warm.ts'

/** What it takes to freeze a Pi. */
export interface FreezeContext {
  place: Place
  /** Of the place: where its card is, as {@link frozenFiles} calls it, and RAM and state are written. */
  dir: string
  bootTimeout: number
  log: Log
  signal: AbortSignal
}

/** What is booted to be frozen. */
export interface FreezeSubject {
  image: Image
  board: Board
  /**
   * Whether it must be warm. An image's Pi must: it is what all others start from. One that a user has changed may
   * refuse our login, and is frozen as it is then. @default true
   */
  mustBeWarm?: boolean
}

/** How a Pi that was frozen came up. */
export interface Booted {
  /** The kernel's command line. */
  commandLine: string
  /** What its boot part asks for and it has not got, a sentence each. */
  notEmulated: string[]
  /** From QEMU's start until systemd had started everything, in ms. */
  coldBootMs: number
}

/** The signs on a console that a boot has failed for good. */
const bootFailures =
  /Kernel panic - not syncing|Entering emergency mode|You are in emergency mode|ALERT!\s+.* does not exist/

/**
 * Boots the card in `dir` without a NIC, as the firmware would, waits until systemd is done, warms the Pi, and freezes it
 * into files beside the card. Gives how it came up. Throws a `RaspiError` with the end of the console where the
 * boot fails or takes longer than `bootTimeout`.
 */
export async function freeze(subject: FreezeSubject, context: FreezeContext): Promise<Booted> {
  const { image, board, mustBeWarm = true } = subject
  const { dir, place, log, signal } = context
  const card = join(dir, frozenFiles.card)
  const bootDir = privateDir(place.logDir, 'frozen-boot')
  const bootPart = await readBootPart(place, { path: card }, join(bootDir, 'boot.raw'))
  const boot = await readBootPlan({ path: bootPart }, board, bootDir)
  await rm(bootPart)
  const commandLine = [
    boot.commandLine,
    ServiceShell.kernelParameter(board.serviceTty),
    // No Pi has a clock: without it, the guest's files would be of the day systemd was built.
    `systemd.clock-usec=${Date.now()}000`,
  ].join(' ')
  const memory = { file: join(dir, frozenFiles.ram), mode: 'shared' } as const
  const starting = performance.now()
  const machine = await Machine.start({ board, card, boot: { ...boot, commandLine }, memory }, place, {
    signal,
  })
  let coldBootMs: number
  const kill = () => machine.kill()
  signal.addEventListener('abort', kill, { once: true })
  try {
    const shell = await booted(machine, context)
    const warming = performance.now()
    coldBootMs = Math.round(warming - starting)
    const warmed = warmUp(shell, subject)
    warmed.catch(() => {})
    const ended = machine.ended.then(() => undefined)
    const output = (await Promise.race([warmed, ended])) ?? lostWhileWarmed(machine, signal)
    if (/running|degraded/.test(output)) log(`Freezing ${image.name}: warmed up in ${elapsed(warming)}`)
    else if (mustBeWarm) {
      throw new RaspiError('freeze', 'The Pi could not be warmed up before its freezing', {
        evidence: output.slice(-2_000),
      })
    } else log(`Freezing ${image.name}: it is frozen cold, because nobody could log in to warm it up`)
    await pauseBetweenInterrupts(machine)
    await migrateOut(machine, join(dir, frozenFiles.state))
    shell.close()
  } finally {
    signal.removeEventListener('abort', kill)
    await machine.end()
    await rm(bootDir, { recursive: true, force: true })
  }
  return { commandLine, coldBootMs, notEmulated: boot.notEmulated }
}

/** Warms a Pi as root on `shell`, and gives what it said. */
async function warmUp(shell: ServiceShell, { image, board }: FreezeSubject): Promise<string> {
  await shell.run(keepLogsScript, { timeoutMs: 60_000 })
  await shell.detach(board.serviceTty, { timeoutMs: 180_000 })
  return (await shell.run(warmScript(image.user, board), { timeoutMs: 180_000 })).output
}

function lostWhileWarmed(machine: Machine, signal: AbortSignal): never {
  signal.throwIfAborted()
  throw new RaspiError('freeze', `The Pi was lost while it was warmed up: ${machine.fate()}`)
}

/** Waits until systemd has started everything, and gives a quiet shell. */
async function booted(machine: Machine, { bootTimeout, signal }: FreezeContext): Promise<ServiceShell> {
  const deadline = AbortSignal.timeout(bootTimeout)
  const over = new AbortController()
  const stop = AbortSignal.any([deadline, signal, over.signal])
  const failedToBoot = (evidence: string) => new RaspiError('boot', `The Pi failed to boot`, { evidence })
  // Before it may be a boot that failed: a Pi's console goes on through all its boots.
  const sinceStart = { offset: machine.consoleStart }
  const tail = () => machine.console.tail(40, sinceStart)
  const panic = machine.console.waitFor({ panic: bootFailures }, stop, sinceStart).then(async () => {
    throw failedToBoot(await tail())
  })
  const ended = machine.ended.then(async () => {
    const evidence = await tail()
    // A machine whose kernel has panicked is ended, perhaps before that is seen here.
    if (bootFailures.test(evidence)) throw failedToBoot(evidence)
    throw new RaspiError('boot', `The Pi was lost while it booted: ${machine.fate()}`, { evidence })
  })
  const ready = async () => {
    const shell = await ServiceShell.open(machine.place, stop)
    await shell.run('systemctl is-system-running --wait', { timeoutMs: bootTimeout })
    return shell
  }
  try {
    return await Promise.race([ready(), panic, ended])
  } catch (error) {
    signal.throwIfAborted()
    if (!deadline.aborted) throw error
    throw new RaspiError('boot', `The Pi did not finish booting within ${bootTimeout / 1000} s`, {
      evidence: await tail(),
    })
  } finally {
    over.abort()
    panic.catch(() => {})
    ended.catch(() => {})
  }
}

/** Moves a frozen Pi to its place in the cache, where it counts from then on. A damaged one there makes room. */
export async function keepFrozen(frozen: Pick<FrozenPi, 'dir'>, place: string): Promise<void> {
  await mkdir(join(place, '..'), { recursive: true, mode: 0o700 })
  await rename(place, `${frozen.dir}.damaged`).catch(() => {})
  await rename(frozen.dir, place)
  await rm(`${frozen.dir}.damaged`, { recursive: true, force: true })
}
