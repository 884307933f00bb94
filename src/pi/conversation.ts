import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { createDebug } from 'obug'
import { dieWithParent } from '../host/process.ts'
import type { PiConnection } from './connection.ts'
import { sshOptions } from './ssh.ts'

const debug = createDebug('raspi:ssh')

/** A command on a Pi that is asked by lines of its standard input, and answers each by a line. */
export interface Conversation {
  /**
   * Sends `text`, and gives the next line that begins with `start`, or nothing where the command ends before. One question at a
   * time.
   */
  ask(text: string, start: string): Promise<string | undefined>
  /** Settles once the command has ended, with its exit code where it has one. Never rejects. */
  readonly ended: Promise<number | undefined>
  /** Ends the command. */
  close(): void
}

/**
 * Starts such a command as root, on the connection that others share; it ends with that, with `signal`, with the calling
 * thread, and by itself where nothing can be read any more. Whether it has started tells the first answer.
 */
export function converseBySsh(
  connection: PiConnection,
  controlPath: string,
  command: string,
  signal: AbortSignal,
): Conversation {
  const line = `sudo -n -- ${command}`
  const [file, args] = dieWithParent('ssh', [
    ...sshOptions(connection, controlPath),
    ...['-T', connection.host, '--', line],
  ])
  return converse(file, args, signal)
}

/** The same with a command of this host. */
export function converse(file: string, args: readonly string[], signal: AbortSignal): Conversation {
  const child = execa(file, args, {
    ...{ reject: false, buffer: false, stderr: 'ignore', cancelSignal: signal, forceKillAfterDelay: false },
  })
  // A worker that has nothing else to do may end.
  for (const each of [child, child.stdin, child.stdout]) (each as { unref?(): void }).unref?.()
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })
  const ended = child.then(({ exitCode }) => {
    debug('%s: ended with exit code %d', args.at(-1), exitCode)
    return exitCode
  })
  return {
    ended,
    async ask(text, start) {
      const { promise, resolve } = Promise.withResolvers<string>()
      const look = (line: string) => {
        if (line.startsWith(start)) resolve(line)
      }
      lines.on('line', look)
      child.stdin.write(text)
      try {
        return await Promise.race([promise, ended.then(() => undefined)])
      } finally {
        lines.off('line', look)
      }
    },
    close: () => void child.kill('SIGKILL'),
  }
}
