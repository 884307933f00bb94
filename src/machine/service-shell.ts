import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { createDebug } from 'obug'
import { RaspiError } from '../errors.ts'
import { machineFiles } from './command-line.ts'
import type { Place } from './place.ts'

const debug = createDebug('raspi:service')

type ShellPlace = Pick<Place, 'connect' | 'dir'>

/**
 * A root shell of the guest's on the board's second UART, there before any network is: systemd starts it where the
 * kernel command line has `systemd.debug_shell=TTY`, with no change to the image.
 * https://www.freedesktop.org/software/systemd/man/latest/systemd-debug-generator.html
 */
export class ServiceShell {
  /** The kernel parameter that has systemd start the shell on `tty`. */
  static kernelParameter = (tty: string) => `systemd.debug_shell=${tty}`

  readonly #socket: Duplex
  #received = ''
  #commands = 0

  private constructor(socket: Duplex) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      debug('%s', text)
      this.#received += text
    })
    socket.on('error', () => {})
  }

  /**
   * Connects to the UART of a guest that boots at `place`, waits for the shell's prompt, and makes the shell quiet: no
   * echo, no prompt. Nothing is written before: bytes that meet a UART without its driver stop it for good.
   * Rejects with the reason of `signal`.
   */
  static async open(place: ShellPlace, signal: AbortSignal): Promise<ServiceShell> {
    const shell = await ServiceShell.attach(place)
    await shell.#waitFor(/[#$] ?$/, signal)
    shell.#write(' stty -echo; PS1= PS2= exec bash --norc --noprofile --noediting\n')
    shell.#write(' PS1= PS2=; echo @"ready"@\n')
    await shell.#waitFor(/^@ready@/m, signal)
    return shell
  }

  /**
   * Goes on in a shell that is none of systemd's, so that it can end without systemd's having to do anything, and the
   * unit is as in a Pi that never had it. Throws a `RaspiError` where the new shell does not answer within
   * `timeoutMs`.
   */
  async detach(tty: string, { timeoutMs }: { timeoutMs: number }): Promise<void> {
    // Stopping the unit hangs the terminal up, so the new shell opens it afterwards, and says so: until then nothing may
    // be written.
    const script = [
      'echo $$ > /sys/fs/cgroup/cgroup.procs',
      'systemctl stop debug-shell.service',
      `exec <> /dev/${tty} >&0 2>&1`,
      'stty -echo',
      'echo @"parted"@',
      'PS1= PS2= exec bash --norc --noprofile --noediting',
    ].join('; ')
    this.#received = ''
    this.#write(`setsid bash -c '${script}' < /dev/null > /dev/null 2>&1 &\n`)
    await this.#waitFor(/@parted@/, AbortSignal.timeout(timeoutMs)).catch(() => {
      throw new RaspiError(
        'freeze',
        `The Pi's service shell could not be parted from systemd within ${timeoutMs / 1000} s`,
        { evidence: this.#received.slice(-2_000) },
      )
    })
  }

  /** Connects to a shell that {@link ServiceShell.open} has made quiet before the guest was frozen. */
  static async attach(place: ShellPlace): Promise<ServiceShell> {
    const socket = `${place.dir}/${machineFiles.service}`
    return new ServiceShell(await place.connect(socket, AbortSignal.timeout(30_000)))
  }

  /**
   * Runs a script as root and gives what it prints (stdout and stderr) with its exit status. A line of it may have
   * 4,000 bytes at most (the tty's line buffer). Throws a `RaspiError` after `timeoutMs`; rejects with the reason of `signal`.
   */
  async run(
    script: string,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<{ status: number; output: string }> {
    const id = `@end${this.#commands++}@`
    this.#received = ''
    this.#write(`{\n${script}\n} </dev/null 2>&1; printf '\\n%s%s\\n' '${id}' "$?"\n`)
    const timeout = AbortSignal.timeout(timeoutMs)
    const within = signal ? AbortSignal.any([timeout, signal]) : timeout
    const end = await this.#waitFor(new RegExp(`${id}(\\d+)\\r?\\n`), within).catch(() => {
      signal?.throwIfAborted()
      throw new RaspiError('boot', `The Pi's service shell did not finish within ${timeoutMs / 1000} s`, {
        evidence: this.#received.slice(-2_000),
      })
    })
    return {
      status: Number(end[1]),
      output: this.#received.slice(0, end.index).replaceAll('\r\n', '\n').trim(),
    }
  }

  /**
   * Ends a shell that was parted from systemd, for good; `last` is done before. Settles when it is done, when its machine has
   * ended, or after a minute. Never rejects: the Pi may be given back meanwhile.
   */
  async finish(last: string): Promise<void> {
    if (this.#socket.destroyed) return
    const gone = new AbortController()
    this.#socket.once('close', () => gone.abort())
    this.#write(`${last}\necho @"done"@\nexit\n`)
    const within = AbortSignal.any([gone.signal, AbortSignal.timeout(60_000)])
    await this.#waitFor(/@done@/, within).catch(() => {})
    this.#socket.destroy()
  }

  /** Leaves the shell as it is. */
  close(): void {
    this.#socket.destroy()
  }

  #write(text: string) {
    debug('%s', text)
    this.#socket.write(text)
  }

  async #waitFor(pattern: RegExp, signal: AbortSignal): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#received)
      if (match) return match
      await once(this.#socket, 'data', { signal })
    }
  }
}
