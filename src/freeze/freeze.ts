import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { RaspiError } from '../errors.ts'
import { readBootPlan } from '../firmware/boot-plan.ts'
import { privateDir } from '../host/paths.ts'
import { elapsed, type Log } from '../host/progress.ts'
import type { Image } from '../image/image.ts'
import type { Board } from '../machine/boards.ts'
import { makeCard } from '../machine/card.ts'
import { machineFiles } from '../machine/command-line.ts'
import { Machine } from '../machine/machine.ts'
import { ServiceShell } from '../machine/service-shell.ts'
import { migrateOut } from './migrate.ts'
import { describeFiles, type FrozenPi, frozenAt, frozenFiles, type Manifest, manifestFile } from './store.ts'
import { keepLogsScript, warmScript } from './warm.ts'

/** What it takes to freeze a Pi. */
export interface FreezeContext {
  /** Where the frozen Pi's files are written; it must lie as deep below the cache as its final place. */
  dir: string
  /** For sockets: a short path. */
  machineDir: string
  qemu: string
  qemuImg: string
  bootTimeout: number
  log: Log
  signal: AbortSignal
  /** Told of the process, which must not outlive the run. */
  note(pid: number): void
}

/** The signs on a console that a boot has failed for good. */
const bootFailures =
  /Kernel panic - not syncing|Entering emergency mode|You are in emergency mode|ALERT!\s+.* does not exist/

/**
 * Boots `image` without a NIC, waits until systemd is done, warms it, and freezes it into the files of `dir`.
 * Throws a `RaspiError` with the end of the console where the boot fails or takes longer than `bootTimeout`.
 */
export async function freeze(
  id: string,
  image: Image,
  board: Board,
  context: FreezeContext,
): Promise<FrozenPi> {
  const { dir, machineDir, qemu, qemuImg, log, signal } = context
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const boot = await readBootPlan({ path: image.path, partition: 1 }, board, privateDir(machineDir, 'boot'))
  const commandLine = [
    boot.commandLine,
    ServiceShell.kernelParameter(board.serviceTty),
    // No Pi has a clock: without it, the guest's files would be of the day systemd was built.
    `systemd.clock-usec=${Date.now()}000`,
  ].join(' ')
  // A relative backing file, so that the cache can be moved (a CI cache is unpacked wherever it pleases).
  const base = { path: relative(dir, image.path), format: 'raw' } as const
  const card = await makeCard(qemuImg, base, join(dir, frozenFiles.card))
  const memory = { file: join(dir, frozenFiles.ram), mode: 'shared' } as const
  const starting = performance.now()
  const machine = await Machine.start(
    { board, card: card.path, dir: machineDir, boot: { ...boot, commandLine }, memory },
    { qemu },
    signal,
  )
  context.note(machine.pid)
  let coldBootMs: number
  try {
    const shell = await booted(machine, context)
    const warming = performance.now()
    coldBootMs = Math.round(warming - starting)
    await shell.run(keepLogsScript, { timeoutMs: 60_000 })
    await shell.detach(board.serviceTty, { timeoutMs: 180_000 })
    const { output } = await shell.run(warmScript(image.user), { timeoutMs: 180_000 })
    if (!/running|degraded/.test(output)) {
      throw new RaspiError('freeze', 'The Pi could not be warmed up before its freezing', {
        evidence: output.slice(-2_000),
      })
    }
    log(`Freezing ${image.name}: warmed up in ${elapsed(warming)}`)
    await machine.pause()
    await migrateOut(machine, join(dir, frozenFiles.state))
    shell.close()
  } finally {
    await machine.end()
  }
  const manifest: Manifest = { id, commandLine, coldBootMs, files: await describeFiles(dir) }
  await writeFile(join(dir, manifestFile), JSON.stringify(manifest, null, 2))
  for (const file of [...Object.values(frozenFiles), manifestFile]) await chmod(join(dir, file), 0o400)
  return frozenAt(dir, manifest, image, board)
}

/** Waits until systemd has started everything, and gives a quiet shell. */
async function booted(machine: Machine, { bootTimeout, signal }: FreezeContext): Promise<ServiceShell> {
  const deadline = AbortSignal.timeout(bootTimeout)
  const over = new AbortController()
  const stop = AbortSignal.any([deadline, signal, over.signal])
  const panic = machine.console.waitFor({ panic: bootFailures }, stop).then(async () => {
    throw new RaspiError('boot', `The Pi failed to boot`, { evidence: await machine.console.tail() })
  })
  const ended = machine.ended.then(async () => {
    throw new RaspiError('boot', `The Pi was lost while it booted: ${machine.fate()}`, {
      evidence: await machine.console.tail(),
    })
  })
  const ready = async () => {
    const shell = await ServiceShell.open(join(machine.spec.dir, machineFiles.service), stop)
    await shell.run('systemctl is-system-running --wait', { timeoutMs: bootTimeout })
    return shell
  }
  try {
    return await Promise.race([ready(), panic, ended])
  } catch (error) {
    signal.throwIfAborted()
    if (!deadline.aborted) throw error
    throw new RaspiError('boot', `The Pi did not finish booting within ${bootTimeout / 1000} s`, {
      evidence: await machine.console.tail(),
    })
  } finally {
    over.abort()
    panic.catch(() => {})
    ended.catch(() => {})
  }
}

/** Moves a frozen Pi to its place in the cache, where it counts from then on. A damaged one there makes room. */
export async function keepFrozen(frozen: FrozenPi, place: string): Promise<void> {
  await mkdir(join(place, '..'), { recursive: true, mode: 0o700 })
  await rename(place, `${frozen.dir}.damaged`).catch(() => {})
  await rename(frozen.dir, place)
  await rm(`${frozen.dir}.damaged`, { recursive: true, force: true })
}
