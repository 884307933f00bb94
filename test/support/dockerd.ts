import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { defaultCacheDir, privateDir } from '../../src/host/paths.ts'
import { dieWithParent } from '../../src/host/process.ts'
import { hasProgram } from './programs.ts'

/** Whether a Docker engine can be started here: by root, where the programs are. */
export const hasDockerd = () =>
  process.getuid?.() === 0 && ['dockerd', 'docker', 'mmdebstrap'].every(hasProgram)

/** What Pis run in, made of Debian's archive because there may be no registry: the same as ours, and what sets its clock. */
export const qemuPackages = ['qemu-system-arm', 'qemu-utils', 'socat', 'faketime']

/** The same for Ansible. */
export const ansiblePackages = ['ansible-core', 'git', 'openssh-client', 'python3']

/** Whose packages they are. */
export const debianRelease = 'trixie'

/** What is particular of an engine. */
export interface DockerdOptions {
  /** A directory of this host that is empty for it, as for one that is elsewhere. @default none */
  hidden?: string
  /** Whether it reaches this host's loopback, for a registry there; else it has a network of its own. @default false */
  loopback?: boolean
}

/**
 * As a machine has it: processes and mounts of its own, which all end with the first of them. What its programs keep below
 * /run is its own as well.
 */
const machineScript = `
mount -t tmpfs none /run
[ -z "$0" ] || mount -t tmpfs none "$0"
"$@" & wait`

/** A Docker engine of the test's own, which listens on a socket only. It ends with the test. */
export class Dockerd implements AsyncDisposable {
  readonly address: string
  readonly #dir: string
  readonly #child: ReturnType<typeof spawn>

  private constructor(dir: string, { hidden = '', loopback = false }: DockerdOptions) {
    this.#dir = dir
    this.address = `unix://${join(dir, 'd.sock')}`
    const place = (name: string) => join(dir, name)
    const dockerd = [
      ...['dockerd', '-H', this.address, '--data-root', place('data'), '--exec-root', place('exec')],
      ...['--pidfile', place('pid'), '--cgroup-parent', `/${basename(dir)}`],
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false'],
    ]
    const apart = ['--pid', '--fork', '--kill-child', '--mount-proc', ...(loopback ? [] : ['--net'])]
    const [file, args] = dieWithParent('unshare', [...apart, 'sh', '-c', machineScript, hidden, ...dockerd])
    this.#child = spawn(file, args, { stdio: 'ignore' })
  }

  /** Starts one and waits until it answers. */
  static async start(options: DockerdOptions = {}): Promise<Dockerd> {
    const dockerd = new Dockerd(mkdtempSync(join(tmpdir(), 'rd-')), options)
    for (let count = 0; count < 200; count++) {
      if (existsSync(dockerd.address.replace('unix://', ''))) return dockerd
      await delay(100)
    }
    await dockerd[Symbol.asyncDispose]()
    throw new Error('dockerd did not start.')
  }

  /** Runs one of Docker's own commands and gives what it prints. */
  docker(...args: string[]): string {
    return execFileSync('docker', ['-H', this.address, ...args], {
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    }).trim()
  }

  /** Makes the image that Pis run in, from `tar`, by the name `name`; with `changes` as of a Containerfile's lines. */
  importImage(tar: string, name: string, ...changes: string[]): void {
    this.docker('import', ...changes.flatMap((change) => ['--change', change]), tar, name)
  }

  /** Has `other` know the image `name` by the id that it has here, as if both had it of a registry. */
  giveImage(name: string, other: Dockerd): void {
    const script = 'docker -H "$0" save "$2" | docker -H "$1" load'
    execFileSync('sh', ['-c', script, this.address, other.address, name], { stdio: 'pipe' })
  }

  /** The ids of all containers, running or not. */
  containers(): string[] {
    return this.docker('ps', '-aq').split('\n').filter(Boolean)
  }

  /** Ends it at once with all that it runs, as if its machine's plug were pulled. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await ended
  }

  async [Symbol.asyncDispose]() {
    await this.kill()
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    // Control groups outlive who made them.
    execFileSync('find', [
      '/sys/fs/cgroup',
      '-depth',
      '-type',
      'd',
      '-path',
      `*/${basename(this.#dir)}*`,
      '-delete',
    ])
  }
}

/** The tar of the container image that Pis run in, made once for a cache. Half a minute, from Debian's archive. */
export const imageTar = () => tarOf('qemu-trixie-2', qemuPackages)

/** The same of that which Ansible runs in. */
export const ansibleImageTar = () => tarOf('ansible-trixie', ansiblePackages)

function tarOf(name: string, packages: readonly string[]): string {
  const tar = join(privateDir(defaultCacheDir(), 'tests'), `${name}.tar`)
  if (existsSync(tar)) return tar
  const made = `${tar}.${process.pid}`
  const args = ['--format=tar', '--variant=minbase', `--include=${packages.join()}`, debianRelease, made]
  execFileSync('mmdebstrap', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  renameSync(made, tar)
  return tar
}
