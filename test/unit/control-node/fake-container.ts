import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Duplex, type PassThrough, type Readable } from 'node:stream'
import type Dockerode from 'dockerode'

/** What a command in a container comes to. */
export interface FakeResult {
  exitCode?: number
  stdout?: string
  stderr?: string
}

/** A container whose commands come to what `run` gives for them and their input; its files are those below `dir`. */
export function fakeContainer(
  run: (command: string[], input: string, user: string | undefined) => FakeResult,
  dir = '/nowhere',
): Dockerode.Container {
  return {
    modem: {
      demuxStream: (from: Fake, stdout: PassThrough, stderr: PassThrough) => from.tell(stdout, stderr),
    },
    exec: async ({ Cmd, User }: { Cmd: string[]; User?: string }) => {
      const connection = new Fake((input) => run(Cmd, input, User))
      return {
        start: async () => connection,
        inspect: async () => ({ Running: false, ExitCode: connection.result.exitCode ?? 0 }),
      }
    },
    async putArchive(archive: Readable) {
      const tar = spawn('tar', ['-xf', '-', '-C', dir], { stdio: ['pipe', 'ignore', 'inherit'] })
      archive.pipe(tar.stdin)
      await once(tar, 'close')
    },
    async getArchive({ path }: { path: string }) {
      const at = path.lastIndexOf('/')
      const args = ['-cf', '-', '-C', dir + path.slice(0, at), path.slice(at + 1)]
      const { stdout } = spawn('tar', args, { stdio: ['ignore', 'pipe', 'ignore'] })
      return stdout
    },
  } as unknown as Dockerode.Container
}

/** The connection to a command: it answers when its input has ended. */
class Fake extends Duplex {
  readonly #run: (input: string) => FakeResult
  #input = ''
  #outputs: PassThrough[] = []
  result: FakeResult = {}

  constructor(run: (input: string) => FakeResult) {
    super()
    this.#run = run
  }

  tell(...outputs: PassThrough[]): void {
    this.#outputs = outputs
    this.resume()
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#input += chunk
    done()
  }

  override _final(done: () => void): void {
    this.result = this.#run(this.#input)
    this.#outputs[0]?.write(this.result.stdout ?? '')
    this.#outputs[1]?.write(this.result.stderr ?? '')
    this.push(null)
    done()
  }
}
