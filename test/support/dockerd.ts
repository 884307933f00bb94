import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { defaultCacheDir, privateDir } from '../../src/host/paths.ts'
import { dieWithParent } from '../../src/host/process.ts'
import { hasProgram } from './programs.ts'

/** Whether a Docker engine can be started here: by root, where the programs are. */
export const hasDockerd = () =>
  process.getuid?.() === 0 && ['dockerd', 'docker', 'mmdebstrap'].every(hasProgram)

/** What Pis run in, made of Debian's archive because there may be no registry: the same as ours, and what sets its clock. */
const qemuPackages = 'qemu-system-arm,qemu-utils,socat,faketime'

/** A Docker engine of the test's own, which reaches nothing and listens on a socket only. It ends with the test. */
export class Dockerd implements AsyncDisposable {
  readonly address: string
  readonly #dir: string
  readonly #child: ReturnType<typeof spawn>

  private constructor(dir: string, { hidden }: { hidden?: string | undefined }) {
    this.#dir = dir
    this.address = `unix://${join(dir, 'd.sock')}`
    const place = (name: string) => join(dir, name)
    const dockerd = [
      ...['dockerd', '-H', this.address, '--data-root', place('data'), '--exec-root', place('exec')],
      ...['--pidfile', place('pid'), '--bridge', 'none', '--iptables=false', '--ip6tables=false'],
    ]
    const hide = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none "$0" && exec "$@"', hidden ?? '']
    const [program = '', ...rest] = hidden === undefined ? dockerd : [...hide, ...dockerd]
    const [file, args] = dieWithParent(program, rest)
    this.#child = spawn(file, args, { stdio: 'ignore' })
  }

  /** Starts one and waits until it answers. For one that is to be elsewhere the directory `hidden` of this host is empty. */
  static async start(options: { hidden?: string } = {}): Promise<Dockerd> {
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

  /** The ids of all containers, running or not. */
  containers(): string[] {
    return this.docker('ps', '-aq').split('\n').filter(Boolean)
  }

  /** Kills it at once, and what it runs. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await delay(500)
  }

  async [Symbol.asyncDispose]() {
    this.#child.kill('SIGTERM')
    for (
      let count = 0;
      count < 100 && this.#child.exitCode === null && this.#child.signalCode === null;
      count++
    )
      await delay(100)
    this.#child.kill('SIGKILL')
    const containerd = join(this.#dir, 'exec/containerd/containerd.pid')
    if (existsSync(containerd)) {
      try {
        process.kill(Number(readFileSync(containerd, 'utf8')), 'SIGKILL')
      } catch {
        // It has ended with its engine.
      }
    }
    execFileSync('sh', [
      '-c',
      `grep -F ${this.#dir} /proc/mounts | cut -d' ' -f2 | sort -r | xargs -r umount -l`,
    ])
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

/** The tar of the container image that Pis run in, made once for a cache. Half a minute, from Debian's archive. */
export const imageTar = () => tarOf('qemu-trixie-2', qemuPackages)

/** The same of that which Ansible runs in. */
export const ansibleImageTar = () => tarOf('ansible-trixie', 'ansible-core,git,openssh-client,python3')

function tarOf(name: string, packages: string): string {
  const tar = join(privateDir(defaultCacheDir(), 'tests'), `${name}.tar`)
  if (existsSync(tar)) return tar
  const made = `${tar}.${process.pid}`
  execFileSync('mmdebstrap', ['--format=tar', '--variant=minbase', `--include=${packages}`, 'trixie', made], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  renameSync(made, tar)
  return tar
}
