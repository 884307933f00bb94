import type { ChildProcess } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { execa } from 'execa'
import { createDebug } from 'obug'
import { RaspiError } from '../errors.ts'
import { abortsSoon } from '../host/patience.ts'
import { dieWithParent } from '../host/process.ts'
import { quote } from '../host/quote.ts'
import type { PiConnection } from './connection.ts'

const debug = createDebug('raspi:ssh')

/**
 * The options of OpenSSH's client that reach exactly this Pi: its own host key strictly checked, our key only, nothing
 * of the user's configuration, and one connection shared by all who use `controlPath`.
 */
export function sshOptions(connection: PiConnection, controlPath: string): string[] {
  const options = Object.entries(sshSettings(connection, controlPath))
  return ['-F', 'none', ...options.flatMap(([name, value]) => ['-o', `${name}=${value}`])]
}

/** The same by their names in ssh_config(5). */
export function sshSettings(connection: PiConnection, controlPath: string): Record<string, string | number> {
  return {
    User: connection.user,
    Port: connection.port,
    IdentityFile: connection.privateKeyFile,
    IdentitiesOnly: 'yes',
    UserKnownHostsFile: connection.knownHostsFile,
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    PreferredAuthentications: 'publickey',
    // The default, sntrup761, costs an emulated core seconds.
    KexAlgorithms: '^curve25519-sha256',
    GSSAPIAuthentication: 'no',
    BatchMode: 'yes',
    LogLevel: 'ERROR',
    ServerAliveInterval: 15,
    // A busy emulated Pi may be silent for a while.
    ServerAliveCountMax: 8,
    ControlPath: controlPath,
  }
}

/** An open ssh connection that others share by its control path. */
export interface SshMaster {
  /** Ends the connection. */
  close(): void
  /** Stands still while its Pi does: it would take a paused Pi for a dead one. */
  rest(): void
  /** Goes on. */
  wake(): void
  /** Settles once the connection has ended. */
  readonly closed: Promise<unknown>
}

/**
 * Logs in and keeps the connection open for all who use `controlPath`. It waits as long as `signal` lets it, on one
 * connection: an abandoned one leaves an sshd at work in the guest. Dies with the calling thread.
 * Throws a `RaspiError` where ssh gives up: wrong host key, key refused, connection closed.
 */
export async function openSshMaster(
  connection: PiConnection,
  controlPath: string,
  signal: AbortSignal,
): Promise<SshMaster> {
  signal.throwIfAborted()
  await rm(controlPath, { force: true })
  const [file, args] = dieWithParent('ssh', [
    ...sshOptions(connection, controlPath),
    ...['-o', 'ControlMaster=yes', '-o', 'PermitLocalCommand=yes', '-o', 'LocalCommand=echo connected'],
    ...['-o', 'ConnectTimeout=600', '-N', '-T', connection.host],
  ])
  debug('%s %s', file, args.join(' '))
  const ssh = execa(file, args, { stdin: 'ignore', reject: false })
  // Only the login has a deadline: what follows lives as long as the Pi.
  const giveUp = () => ssh.kill('SIGKILL')
  signal.addEventListener('abort', giveUp, { once: true })
  const connected = new Promise<void>((resolve) => ssh.stdout.once('data', () => resolve()))
  const ended = ssh.then(({ stderr, exitCode }) => {
    signal.throwIfAborted()
    const why = stderr || `the connection was closed (exit code ${exitCode})`
    throw new RaspiError(
      'ssh',
      `ssh could not log in as ${connection.user} to port ${connection.port}: ${why}`,
    )
  })
  try {
    await Promise.race([connected, ended])
  } finally {
    signal.removeEventListener('abort', giveUp)
    ended.catch(() => {})
  }
  return {
    // A stopped process takes no other signal than this and SIGCONT.
    close: () => void ssh.kill('SIGKILL'),
    rest: () => void ssh.kill('SIGSTOP'),
    wake: () => void ssh.kill('SIGCONT'),
    closed: ssh,
  }
}

/** What a command on a Pi gave. */
export interface CommandResult {
  exitCode: number
  /** As it was written, with the newline at its end. */
  stdout: string
  /** As it was written, with the newline at its end. */
  stderr: string
}

/** How a command is run on a Pi. */
export interface CommandOptions {
  /** Run it as root. @default false */
  sudo?: boolean | undefined
  /** What it reads from its standard input. @default nothing */
  input?: string | Uint8Array | undefined
  /** Whether an exit code other than 0 throws. @default true */
  reject?: boolean | undefined
  /** How long it may take, in ms. @default 120_000 */
  timeoutMs?: number | undefined
  /** Where it aborts, the command is given up, and its reason is thrown. The Pi is not told: what was begun may go on there. */
  signal?: AbortSignal | undefined
}

/**
 * Runs a command line in the user's shell on a Pi. Throws a `RaspiError` where the Pi cannot be reached, where it takes
 * longer than `timeoutMs`, and, unless `reject` is false, where it ends with another exit code than 0.
 */
export async function runBySsh(
  name: string,
  connection: PiConnection,
  controlPath: string,
  command: string,
  { sudo = false, input, reject = true, timeoutMs = 120_000, signal }: CommandOptions = {},
): Promise<CommandResult> {
  const line = sudo ? `sudo -n -- sh -c ${quote(command)}` : command
  signal?.throwIfAborted()
  const ssh = execa(
    'ssh',
    [
      ...sshOptions(connection, controlPath),
      '-o',
      'ControlMaster=auto',
      '-o',
      'ControlPersist=60',
      '-T',
      connection.host,
      '--',
      line,
    ],
    {
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
      ...{ reject: false, stripFinalNewline: false },
    },
  )
  const result = await endedBy(
    ssh,
    AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
  )
  signal?.throwIfAborted()
  if (!result)
    throw new RaspiError('ssh', `Pi ${name} did not finish within ${timeoutMs / 1000} s: ${command}`)
  const {
    exitCode,
    stdout = '',
    stderr = '',
  } = result as typeof result & { stdout?: string; stderr?: string }
  // ssh itself ends with 255, silently where the shared connection broke; so may a command.
  if (exitCode === undefined || exitCode === 255) {
    if (await abortsSoon(signal)) throw signal?.reason
    const saysSo = /^(ssh|mux_client|Connection|Received disconnect|kex_|Host key|.*Permission denied)/m.test(
      stderr,
    )
    const broken = exitCode === undefined || saysSo
    const { off, silent } =
      broken || stderr === '' ? await lookAtDoor(connection, stderr) : { off: undefined, silent: false }
    signal?.throwIfAborted()
    if (off) throw new RaspiError('ssh', `${off}.`)
    if (broken || silent) {
      const why = stderr.trim() || (silent ? 'its ssh server does not answer' : result.shortMessage)
      throw new RaspiError('ssh', `Pi ${name} could not be reached by ssh: ${why}`)
    }
  }
  if (exitCode !== 0 && reject) {
    throw new RaspiError('ssh', `Command failed with exit code ${exitCode} on Pi ${name}: ${command}`, {
      evidence: [stdout, stderr]
        .map((text) => text.trimEnd())
        .filter(Boolean)
        .join('\n'),
    })
  }
  return { exitCode, stdout, stderr }
}

/**
 * What a client of ssh came to, or nothing where `stop` has aborted before: it is killed then, and its output is not waited
 * for. The process with the shared connection has that open as well, until its Pi answers or is given up after two minutes.
 */
async function endedBy<T>(
  ssh: PromiseLike<T> & Pick<ChildProcess, 'kill' | 'stdout' | 'stderr'>,
  stop: AbortSignal,
) {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const giveUp = () => {
    ssh.kill('SIGKILL')
    ssh.stdout?.destroy()
    ssh.stderr?.destroy()
    resolve(undefined)
  }
  stop.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([ssh, promise])
  } finally {
    stop.removeEventListener('abort', giveUp)
  }
}

/** How long the word that a Pi is off may take after its connections have ended: it has yet to unmount its card. In ms. */
const awayMs = 20_000

/** What the lab says of a Pi that is off, if it is, and whether nobody answers though it is not. */
async function lookAtDoor(
  { host, port }: PiConnection,
  stderr: string,
): Promise<{ off?: string | undefined; silent: boolean }> {
  const [, told] = /^Received disconnect from \S+ port \d+:11: (Pi .* is off.*?)\r?$/m.exec(stderr) ?? []
  if (told) return { off: told, silent: false }
  const socket = connect({ host, port })
  socket.setTimeout(awayMs, () => socket.destroy())
  let heard = ''
  try {
    for await (const chunk of socket) {
      heard += chunk
      if (heard.startsWith('SSH-') && !heard.startsWith('SSH-2.0-vitest-raspi')) return { silent: false }
    }
  } catch {
    // It leads nowhere any more.
  }
  return { off: /Pi .* is off[^\0]*/.exec(heard)?.[0], silent: heard === '' }
}
