import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type Dockerode from 'dockerode'
import { runIn } from '../engine/docker/exec.ts'
import { messageOf, RaspiError } from '../errors.ts'
import { dieWithParent } from '../host/process.ts'
import type { Log } from '../host/progress.ts'

/** What no playbook reads, and is most of a repository. */
const left = new Set(['.git', 'node_modules', '.vitest', '__pycache__'])

/** Files of this host that a container has copies of, at the same paths. Only what has changed is copied again. */
export class CopiedFiles {
  readonly #container: Dockerode.Container
  readonly #user: string
  readonly #log: Log
  readonly #copied = new Map<string, string>()
  readonly #told = new Set<string>()
  #last: Promise<unknown> = Promise.resolve()

  /** Commands in `container` are run as `user`. */
  constructor(container: Dockerode.Container, user: string, log: Log) {
    this.#container = container
    this.#user = user
    this.#log = log
  }

  /**
   * Copies `paths`, which are files or directories with all that is in them, and removes copies of what is gone. What is not
   * there is left out, and so is what this user may not read, which is told. Throws a `RaspiError` where the container does not take it.
   */
  bring(paths: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      const there = new Map(paths.flatMap((path) => [...entriesOf(path)]))
      const gone = [...this.#copied.keys()].filter((path) => !statsOf(path))
      const changed = [...there].filter(
        ([path, look]) => this.#copied.get(path) !== look && this.#isReadable(path),
      )
      if (gone.length > 0) {
        const names = Readable.from([gone.map((path) => `${path}\0`).join('')])
        await runIn(this.#container, ['xargs', '-0', 'rm', '-rf', '--'], names, { user: this.#user })
      }
      if (changed.length > 0) await this.#copy(changed.map(([path]) => path))
      for (const path of gone) this.#copied.delete(path)
      for (const [path, look] of changed) this.#copied.set(path, look)
    })
  }

  /** Fetches `paths` from the container, to the same paths; what is not there is left out. */
  take(paths: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const path of paths) {
        const archive = await this.#container.getArchive({ path }).catch(() => undefined)
        if (!archive) continue
        const [file, args] = dieWithParent('tar', ['-xf', '-', '-C', dirname(path)])
        const tar = spawn(file, args, { stdio: ['pipe', 'ignore', 'ignore'] })
        const ended = once(tar, 'close')
        await pipeline(archive, tar.stdin).catch(() => {})
        await ended
      }
    })
  }

  /** Says so once where a file or a directory is not. */
  #isReadable(path: string): boolean {
    if (isReadable(path)) return true
    if (!this.#told.has(path)) this.#log(`Ansible's container has no copy of ${path}: it cannot be read`)
    this.#told.add(path)
    return false
  }

  async #copy(paths: readonly string[]): Promise<void> {
    const [file, args] = dieWithParent('tar', ['-cf', '-', '-C', '/', '--null', '--no-recursion', '-T', '-'])
    const tar = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    tar.stdin.on('error', () => {})
    tar.stdin.end(paths.map((path) => `${path.slice(1)}\0`).join(''))
    const [ended, said] = [once(tar, 'close'), text(tar.stderr)]
    ended.catch(() => {})
    try {
      await this.#container.putArchive(tar.stdout, { path: '/' })
      const [exitCode] = await ended
      // 1: what has changed while it was read is copied again next time. What is gone by now nobody needs.
      if (exitCode !== 0 && exitCode !== 1 && paths.every(statsOf)) throw new Error(await said)
    } catch (error) {
      throw new RaspiError(
        'ansible',
        `The project cannot be copied into Ansible's container: ${messageOf(error)}`,
        {
          cause: error,
        },
      )
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => {})
    return mine
  }
}

/** The file `path`, or the directory with all that is in it: each with what tells whether it has changed. */
function* entriesOf(path: string): Generator<[path: string, look: string]> {
  const stats = statsOf(path)
  if (!stats) return
  const { mode, ino, size, mtimeMs, ctimeMs } = stats
  // What puts another file in its place may keep its time.
  if (stats.isFile()) yield [path, `${mode} ${ino} ${size} ${mtimeMs} ${ctimeMs}`]
  else if (stats.isSymbolicLink()) yield [path, readlinkSync(path)]
  else if (stats.isDirectory()) {
    yield [path, `${mode}`]
    // Another program's scratch may be gone by now.
    for (const name of namesIn(path)) if (!left.has(name)) yield* entriesOf(join(path, name))
  }
}

/** Of what is at `path`; nothing where nothing is, be it that a directory on its way has become a file. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw error
  }
}

/** A link is, wherever it leads. */
function isReadable(path: string): boolean {
  if (statsOf(path)?.isSymbolicLink()) return true
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES'
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
