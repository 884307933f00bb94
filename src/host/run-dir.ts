import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimes,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProcessId, processId, signalProcess } from './process.ts'
import { isElsewhere, mayLive, type Owner, worldTag } from './world.ts'

const prefix = 'vitest-raspi-'
const ownerFile = 'owner.json'
const processesDir = 'processes'

/**
 * How old a directory without an owner is at the least that is not of a run that just starts, in ms. An Ansible that was
 * still ending has made it again after its run had removed it.
 */
const startingMs = 10_000

/** How often a run shows to those who cannot see its process that it lives, in ms. */
const signOfLifeMs = 3_600_000

/**
 * How many bytes the path may have in which runs have their directories. That of a unix socket may have 103 on macOS (107 on
 * Linux), of which 20 are for a run's directory, and 27 for the longest below: `/f12/c/ssh`, with the 17 that ssh puts behind
 * it while it makes one.
 */
const longestParent = 103 - 20 - 27

/**
 * Where the directories of runs are: in the system's temporary directory, or in /tmp where the path of that one is too long
 * for the sockets below, or has characters in it that ssh or QEMU reads otherwise.
 */
export function runsDir(): string {
  const dir = tmpdir()
  const serves = Buffer.byteLength(dir) <= longestParent && /^[\p{L}\p{N}/._+:@~-]+$/u.test(dir)
  return serves ? dir : '/tmp'
}

/** A run's own directory: sockets, cards, consoles, logs; open to its owner only, gone when the run ends. */
export class RunDir {
  readonly path: string
  readonly #noted: ProcessId[] = []
  readonly #signs: NodeJS.Timeout

  constructor(parent: string = runsDir()) {
    this.path = mkdtempSync(join(parent, prefix))
    mkdirSync(join(this.path, processesDir), { mode: 0o700 })
    const file = join(this.path, ownerFile)
    writeFileSync(file, JSON.stringify({ world: worldTag(), ...processId(process.pid) }))
    this.#signs = setInterval(() => utimes(file, new Date(), new Date(), () => {}), signOfLifeMs).unref()
  }

  /** Notes a process of ours, for the sweep of a later run in case this one cannot end it. */
  note(pid: number): void {
    const id = processId(pid)
    if (!id) return
    this.#noted.push(id)
    writeFileSync(join(this.path, processesDir, String(pid)), JSON.stringify(id))
  }

  /** Kills what was noted and still lives. Synchronous. */
  killNoted(): void {
    for (const id of this.#noted) signalProcess(id, 'SIGKILL')
  }

  /** Removes the directory with everything in it. Synchronous, so that it can be done as the process ends. */
  remove(): void {
    clearInterval(this.#signs)
    rmSync(this.path, { recursive: true, force: true, maxRetries: 2 })
  }
}

/**
 * Clears what dead runs of this user left behind: ends their processes that still live, removes their directories.
 * Gives how many runs there were. Never touches a living run, or a process that only has the pid of one of ours. A run whose
 * process cannot be seen from here, because it is of another machine or container, is dead after a day without a sign of life.
 */
export function sweepDeadRuns(parent: string = runsDir()): number {
  // userInfo() throws for one who is not in passwd, as in a container.
  const uid = process.getuid?.()
  let swept = 0
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(prefix))) {
    const dir = join(parent, name)
    try {
      const { uid: owner, mtimeMs } = statSync(dir)
      if (owner !== uid) continue
      if (!existsSync(join(dir, ownerFile))) {
        if (Date.now() - mtimeMs < startingMs) continue
      } else if (mayRun(dir)) continue
      else if (!isElsewhere(ownerOf(dir))) {
        for (const pid of readdirSync(join(dir, processesDir))) {
          signalProcess(readProcess(join(dir, processesDir, pid)), 'SIGKILL')
        }
      }
    } catch {
      continue
    }
    rmSync(dir, { recursive: true, force: true, maxRetries: 2 })
    swept++
  }
  return swept
}

/** The directories of the runs that live, as far as can be told, and that this user may look into. */
export function livingRuns(parent: string = runsDir()): string[] {
  const dirs = readdirSync(parent).filter((entry) => entry.startsWith(prefix))
  return dirs
    .map((name) => join(parent, name))
    .filter((dir) => {
      try {
        return mayRun(dir)
      } catch {
        return false
      }
    })
}

const mayRun = (dir: string) => mayLive(ownerOf(dir), statSync(join(dir, ownerFile)).mtimeMs)

const ownerOf = (dir: string): Owner => readProcess(join(dir, ownerFile))

const readProcess = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as ProcessId
