import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { boardSchema } from '../board-option.ts'
import { RaspiError } from '../errors.ts'
import { exclusively } from '../host/lock.ts'
import { privateDir } from '../host/paths.ts'
import { isAlive, type ProcessId, processId } from '../host/process.ts'
import { imageOptionSchema } from '../image-option.ts'

const entrySchema = z.object({
  process: z.object({ pid: z.int(), startTime: z.string() }),
  /** The path of the socket on which the lab can be asked. */
  socket: z.string(),
  since: z.string(),
  /** When it ends by itself. */
  until: z.string().optional(),
  detached: z.boolean(),
  image: imageOptionSchema,
  board: boardSchema,
  pis: z.array(z.object({ name: z.string(), sshPort: z.int() })),
})

/** What is known of a standing lab before it is asked. */
export type LabEntry = z.output<typeof entrySchema>

/**
 * Where the standing labs of this user are written down: `$XDG_RUNTIME_DIR/vitest-raspi`, or where there is none a
 * directory of the system's temporary one that has the user's number in its name.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function defaultRegistryDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.XDG_RUNTIME_DIR
    ? join(env.XDG_RUNTIME_DIR, 'vitest-raspi')
    : join(tmpdir(), `raspi-labs-${process.getuid?.()}`)
}

/** A text of a lab's that tools read, by what they read it for. */
type Part = 'inventory' | 'ssh'

/** The user's standing labs. What another user may have put in its place is refused, never believed. */
export class Registry {
  readonly dir: string

  /** Makes the directory where it is not there. Throws a `RaspiError` where it is not this user's alone. */
  constructor(dir: string = defaultRegistryDir()) {
    this.dir = dir
    this.open()
  }

  /** Makes the directory where it is not there any more. Throws a `RaspiError` where it is not this user's alone. */
  open(): void {
    const wrong = whyNotOurs(this.dir)
    if (!wrong) return
    throw new RaspiError('lab', `The list of standing labs in ${this.dir} is not used, because ${wrong}.`, {
      hint: 'Remove it, or set XDG_RUNTIME_DIR to a directory of your own.',
    })
  }

  /** All entries, of living and of dead labs, the oldest first. What is not readable as an entry is none. */
  entries(): LabEntry[] {
    return readdirSync(this.dir)
      .filter((name) => /^lab-\d+\.json$/.test(name))
      .flatMap((name) => {
        try {
          return [entrySchema.parse(JSON.parse(readFileSync(join(this.dir, name), 'utf8')))]
        } catch {
          return []
        }
      })
      .sort((a, b) => a.since.localeCompare(b.since))
  }

  /** Writes down a lab, or anew what has changed of it. */
  write(entry: LabEntry): void {
    replaceFile(this.#fileOf(entry.process), JSON.stringify(entry))
  }

  /** Whether everything that is written for a lab is there. */
  has(process: ProcessId): boolean {
    return this.#filesOf(process).every((file) => existsSync(file))
  }

  /** Forgets a lab. Synchronous, so that it can be done as the process ends. */
  remove(process: ProcessId): void {
    for (const file of this.#filesOf(process)) rmSync(file, { force: true })
  }

  /** A directory that Ansible takes for an inventory: of all Pis that stand, a file for each lab. */
  get inventoryDir(): string {
    return join(this.dir, 'inventory')
  }

  /** A configuration for OpenSSH in which all Pis that stand are hosts. */
  get sshConfig(): string {
    return join(this.dir, 'ssh_config')
  }

  /** Writes a lab's part of the inventory or of the ssh configuration. */
  writePart(part: Part, process: ProcessId, text: string): void {
    const file = this.#partOf(part, process)
    privateDir(dirname(file))
    // Written beside the directory: Ansible takes whatever is in it.
    replaceFile(file, text, join(this.dir, `${part}-${process.pid}.new`))
    if (part === 'ssh') replaceFile(this.sshConfig, `Include "${join(this.#sshDir, '*.conf')}"\n`)
  }

  /** What {@link writePart} wrote of the inventory for a lab. */
  readInventory({ process }: LabEntry): string {
    return readFileSync(this.#partOf('inventory', process), 'utf8')
  }

  /** Forgets the parts of labs that do not stand: Ansible and OpenSSH would take their Pis for some that can be reached. */
  removeDeadParts(): void {
    const dead = new Set(
      this.entries()
        .filter((lab) => !isStanding(lab))
        .map((lab) => String(lab.process.pid)),
    )
    for (const dir of [this.inventoryDir, this.#sshDir].filter(existsSync)) {
      for (const name of readdirSync(dir)) {
        const [, pid] = /^lab-(\d+)\.(?:yml|conf)$/.exec(name) ?? []
        // An entry that cannot be read is perhaps one of another version, whose lab stands.
        if (pid && (dead.has(pid) || !existsSync(join(this.dir, `lab-${pid}.json`))))
          rmSync(join(dir, name), { force: true })
      }
    }
  }

  /** Does `work` while no other process changes names and ports. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    return exclusively(
      join(this.dir, 'names'),
      { log: () => {}, waitingFor: 'The list of standing labs' },
      work,
    )
  }

  #filesOf(process: ProcessId): string[] {
    return [this.#fileOf(process), this.#partOf('inventory', process), this.#partOf('ssh', process)]
  }

  get #sshDir(): string {
    return join(this.dir, 'ssh')
  }

  #partOf(part: Part, { pid }: ProcessId): string {
    return part === 'inventory'
      ? join(this.inventoryDir, `lab-${pid}.yml`)
      : join(this.#sshDir, `lab-${pid}.conf`)
  }

  #fileOf({ pid }: ProcessId): string {
    return join(this.dir, `lab-${pid}.json`)
  }
}

/** Makes `dir` where it is not there; says why it is not this user's alone, if it is not. */
function whyNotOurs(dir: string): string | undefined {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    // lstat: a link would lead to where somebody else wants.
    const stats = lstatSync(dir)
    if (!stats.isDirectory()) return 'it is no directory'
    if (stats.uid !== process.getuid?.()) return 'it belongs to another user'
    return stats.mode & 0o077 ? 'others may look into it' : undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EEXIST' ? 'it is no directory' : `it cannot be made or looked into (${code})`
  }
}

function replaceFile(file: string, text: string, temporary = `${file}.${process.pid}.new`): void {
  writeFileSync(temporary, text, { mode: 0o600 })
  renameSync(temporary, file)
}

/** Whether the process of a lab still runs. */
export const isStanding = (entry: LabEntry): boolean => isAlive(entry.process)

/** This process, as an entry names it. */
export function thisProcess(): ProcessId {
  return processId(process.pid) ?? { pid: process.pid, startTime: '' }
}
