import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dieWithParent } from '../../src/host/process.ts'
import { hasProgram } from './programs.ts'

/** Whether a container registry can be started here. */
export const hasRegistry = () => hasProgram('docker-registry')

/** `me:secret`, as htpasswd -B writes it: a registry takes no other digest. */
const meWithSecret = 'me:$2y$05$BUulv/DbJI6IwnIqdanGsu2acn7ahqD2zmrl3wwO3dArF8s/dagnG\n'

/** A container registry, Debian's docker-registry, on a free port of 127.0.0.1. It ends with `await using`. */
export class TestRegistry implements AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly #dir: string
  readonly #child: ReturnType<typeof spawn>

  private constructor(host: string, dir: string, child: ReturnType<typeof spawn>) {
    this.host = host
    this.#dir = dir
    this.#child = child
  }

  /** Starts one and waits until it listens; with `guarded` it lets in only `me` with the password `secret`. */
  static async start({ guarded = false } = {}): Promise<TestRegistry> {
    const dir = mkdtempSync(join(tmpdir(), 'registry-'))
    mkdirSync(join(dir, 'data'))
    writeFileSync(join(dir, 'htpasswd'), meWithSecret)
    const config = {
      version: 0.1,
      log: { level: 'info', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(dir, 'data') }, delete: { enabled: true } },
      http: { addr: '127.0.0.1:0' },
      ...(guarded && { auth: { htpasswd: { realm: 'pis', path: join(dir, 'htpasswd') } } }),
    }
    writeFileSync(join(dir, 'config.yml'), JSON.stringify(config))
    const [file, args] = dieWithParent('docker-registry', ['serve', join(dir, 'config.yml')])
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
      const host = /listening on (127\.0\.0\.1:\d+)/.exec(said)?.[1]
      if (host) resolve(host)
    })
    child.once('close', () => reject(new Error(`docker-registry did not start: ${said}`)))
    return new TestRegistry(await promise, dir, child)
  }

  /** Removes the blobs that no manifest refers to, as whoever runs a registry does now and then. */
  collectGarbage(): void {
    execFileSync('docker-registry', ['garbage-collect', join(this.#dir, 'config.yml')], { stdio: 'pipe' })
  }

  /** The digests of its blobs. */
  get blobs(): string[] {
    const root = join(this.#dir, 'data/docker/registry/v2/blobs/sha256')
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('/data'))
      .map((path) => path.split('/')[1] ?? '')
  }

  /** Where a blob is. */
  blobFile(digest: string): string {
    return join(this.#dir, 'data/docker/registry/v2/blobs/sha256', digest.slice(0, 2), digest, 'data')
  }

  async [Symbol.asyncDispose]() {
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await ended
    rmSync(this.#dir, { recursive: true, force: true })
  }
}
