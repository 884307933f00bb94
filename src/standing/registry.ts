import { createHash } from 'node:crypto'
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

/** What the files of a lab are called, by this version and by earlier ones. */
const labName = '(lab-\\d+(?:-[0-9a-f]{8})?)'
const entryFile = new RegExp(`^${labName}\\.json$`)
const partFile = new RegExp(`^${labName}\\.(?:yml|conf)$`)

/** What tells labs apart: a process may have several. */
type LabId = Pick<LabEntry, 'process' | 'socket'>

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
    return this.#named()
      .map(({ entry }) => entry)
      .sort((a, b) => a.since.localeCompare(b.since))
  }

  #named(): { name: string; entry: LabEntry }[] {
    return readdirSync(this.dir).flatMap((file) => {
      const [, name] = entryFile.exec(file) ?? []
      try {
        return name
          ? [{ name, entry: entrySchema.parse(JSON.parse(readFileSync(join(this.dir, file), 'utf8'))) }]
          : []
      } catch {
        return []
      }
    })
  }

  /** Writes down a lab, or anew what has changed of it. */
  write(entry: LabEntry): void {
    replaceFile(this.#fileOf(nameOf(entry)), JSON.stringify(entry))
  }

  /** Whether everything that is written for a lab is there. */
  has(lab: LabId): boolean {
    return this.#filesOf(nameOf(lab)).every((file) => existsSync(file))
  }

  /** Forgets a lab. Synchronous, so that it can be done as the process ends. */
  remove(lab: LabId): void {
    const files = [nameOf(lab), formerNameOf(lab)].flatMap((name) => this.#filesOf(name))
    for (const file of files) rmSync(file, { force: true })
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
  writePart(part: Part, lab: LabId, text: string): void {
    const file = this.#partOf(part, nameOf(lab))
    privateDir(dirname(file))
    // Written beside the directory: Ansible takes whatever is in it.
    replaceFile(file, text, join(this.dir, `${part}-${nameOf(lab)}.new`))
    if (part === 'ssh') replaceFile(this.sshConfig, `Include "${join(this.#sshDir, '*.conf')}"\n`)
  }

  /** What {@link writePart} wrote of the inventory for a lab. */
  readInventory(lab: LabId): string {
    const own = this.#partOf('inventory', nameOf(lab))
    return readFileSync(existsSync(own) ? own : this.#partOf('inventory', formerNameOf(lab)), 'utf8')
  }

  /** Forgets the parts of labs that do not stand: Ansible and OpenSSH would take their Pis for some that can be reached. */
  removeDeadParts(): void {
    const dead = new Set(
      this.#named()
        .filter(({ entry }) => !isStanding(entry))
        .map(({ name }) => name),
    )
    for (const dir of [this.inventoryDir, this.#sshDir].filter(existsSync)) {
      for (const file of readdirSync(dir)) {
        const [, name] = partFile.exec(file) ?? []
        // An entry that cannot be read is perhaps one of another version, whose lab stands.
        if (name && (dead.has(name) || !existsSync(this.#fileOf(name))))
          rmSync(join(dir, file), { force: true })
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

  #filesOf(name: string): string[] {
    return [this.#fileOf(name), this.#partOf('inventory', name), this.#partOf('ssh', name)]
  }

  get #sshDir(): string {
    return join(this.dir, 'ssh')
  }

  #partOf(part: Part, name: string): string {
    return part === 'inventory' ? join(this.inventoryDir, `${name}.yml`) : join(this.#sshDir, `${name}.conf`)
  }

  #fileOf(name: string): string {
    return join(this.dir, `${name}.json`)
  }
}

/** What the files of a lab are called. Each project of Vitest's has a lab, all of them in one process. */
function nameOf({ process, socket }: LabId): string {
  return `lab-${process.pid}-${createHash('sha256').update(socket).digest('hex').slice(0, 8)}`
}

/** What the files of earlier versions are called, of which one process has one lab. */
const formerNameOf = ({ process }: LabId) => `lab-${process.pid}`

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
