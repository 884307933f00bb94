import { once } from 'node:events'
import { type Duplex, duplexPair, PassThrough, type Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type Dockerode from 'dockerode'
import { orAborted } from '../../host/or-aborted.ts'

/** A process in a container. */
export interface ContainerProcess {
  /** What it reads; ended, it reads no more. */
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /** Its exit code, once it has ended; `undefined` where the container or its engine is gone. Never rejects. */
  exited: Promise<number | undefined>
  /** Breaks the connection to it off. */
  leave(): void
}

/** As whom a command runs in a container. */
export interface ExecOptions {
  /** `UID:GID`. @default the image's */
  user?: string
  /** Besides the image's. */
  env?: Record<string, string>
  /** Gives its start up, and whoever waits for its end. @default never */
  signal?: AbortSignal | undefined
}

/** Starts a command in a running container. Rejects where there is no such container. */
export async function startIn(
  container: Dockerode.Container,
  command: readonly string[],
  { user, env = {}, signal }: ExecOptions = {},
): Promise<ContainerProcess> {
  const stop = signal ? { abortSignal: signal } : {}
  const attach = { AttachStdin: true, AttachStdout: true, AttachStderr: true }
  const exec = await container.exec({
    ...{ Cmd: [...command], ...attach, Env: Object.entries(env).map(([name, value]) => `${name}=${value}`) },
    ...(user !== undefined && { User: user }),
    ...stop,
  })
  const connection = await exec.start({ ...stop, hijack: true, stdin: true })
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  container.modem.demuxStream(connection, stdout, stderr)
  const end = () => {
    stdout.end()
    stderr.end()
  }
  connection.once('end', end)
  connection.once('close', end)
  connection.on('error', () => {})
  const exited = once(connection, 'close')
    .catch(() => {})
    .then(() => exitCodeOf(exec))
  // Its end comes as that of its output, upon which this side ends too.
  connection.once('end', () => connection.destroy())
  return { stdin: connection, stdout, stderr, exited, leave: () => connection.destroy() }
}

/** Docker tells the end of an output a moment before the exit code. */
async function exitCodeOf(exec: Dockerode.Exec): Promise<number | undefined> {
  try {
    for (;;) {
      const { Running, ExitCode } = await exec.inspect()
      if (!Running) return ExitCode ?? undefined
      await delay(50)
    }
  } catch {
    return undefined
  }
}

/** What a command in a container gave. */
export interface ContainerResult {
  exitCode: number | undefined
  stdout: string
  stderr: string
}

/** Runs a command in a container to its end; it reads `input`, or nothing. Rejects with the reason of a signal of `options`. */
export async function runIn(
  container: Dockerode.Container,
  command: readonly string[],
  input?: Readable,
  options: ExecOptions = {},
): Promise<ContainerResult> {
  const { signal = new AbortController().signal } = options
  const process = await startIn(container, command, options)
  try {
    const [stdout, stderr] = [collected(process.stdout), collected(process.stderr)]
    // Who does not read to the end has a reason, which its exit code tells.
    if (input) await pipeline(input, process.stdin, { signal }).catch(() => {})
    else process.stdin.end()
    const exitCode = await orAborted(process.exited, signal)
    return { exitCode, stdout: await stdout, stderr: await stderr }
  } finally {
    process.leave()
  }
}

async function collected(stream: Readable): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += chunk
  return text
}

/** A process's input and output as one stream, which is there at once. It is closed where the process cannot be started. */
export function streamTo(starting: Promise<ContainerProcess>): Duplex {
  const [ours, theirs] = duplexPair()
  theirs.on('error', () => {})
  starting.then(
    ({ stdin, stdout, stderr, leave }) => {
      stderr.resume()
      theirs.pipe(stdin)
      stdout.pipe(theirs)
      stdout.once('close', () => ours.destroy())
      ours.once('close', leave)
      if (ours.destroyed) leave()
    },
    () => ours.destroy(),
  )
  return ours
}
