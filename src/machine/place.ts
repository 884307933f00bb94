import type { Duplex, Readable } from 'node:stream'
import { RaspiError } from '../errors.ts'
import type { CardBase } from './card.ts'

/** How a machine shares the processors: in the background it leaves them to whatever else runs. */
export type Priority = 'normal' | 'background'

/** How a QEMU has ended. */
export interface QemuExit {
  exitCode?: number | undefined
  signal?: string | undefined
  /** Where more is known than that: the engine that it ran on is gone. */
  why?: string | undefined
}

/** A QEMU that was started. */
export interface QemuProcess {
  /** What it says. */
  messages: Readable
  /** Settles when it has ended. Never rejects. */
  exited: Promise<QemuExit>
  /** Ends it at once, without waiting for that. */
  kill(): void
  /** Lets one that was started in the background have its full share of the processors from now on. */
  comeForward(): void
  /** Lets its timers be so many ms late, for what is due then to be done at once; 0 has them exact. Where that can be had. */
  setTimerSlack(ms: number): void
}

/**
 * Where a Pi's machine runs, with its card and its sockets: this host, or a container somewhere. Unless they are said to be
 * of this host, paths are the place's own.
 */
export interface Place {
  /** For the card and the sockets; short, because a unix socket's path may have 107 bytes. */
  readonly dir: string
  /** A directory of this host for what is known of the machine: console and log. */
  readonly logDir: string
  /** What a new card of the Pi's image lies on. */
  readonly base: CardBase
  /** As `qemu-system-aarch64 --version` tells it: `7.2.22`. */
  readonly qemuVersion: string
  /** How many cores it has. */
  readonly cores: number
  /** What QEMU writes the console to, so that it comes into `console.log` in {@link Place.logDir}. */
  readonly consoleFile: string
  /** Who opens the socket between a NIC and its segment, and who connects to it: both are there, or only QEMU is. */
  readonly segments: 'connect' | 'listen'
  /** Runs `qemu-img`. Throws a `RaspiError` with its words where it fails. */
  qemuImg(args: readonly string[]): Promise<void>
  /** Starts QEMU with these arguments. */
  startQemu(args: readonly string[], priority: Priority): Promise<QemuProcess>
  /** Connects to a unix socket as soon as there is one. Rejects with the reason of `signal`. */
  connect(socket: string, signal: AbortSignal): Promise<Duplex>
  /** Connects to a port of the place's loopback. It is closed where nobody listens there. */
  dial(port: number): Duplex
  /** Makes a file of this host one of the place, and gives its path there. */
  bring(file: string): Promise<string>
  /** Moves a file of the place to this host. */
  take(file: string, to: string): Promise<void>
  /** Moves a file within the place. */
  move(from: string, to: string): Promise<void>
  /** Removes a file or a directory, if it is there. */
  remove(path: string): Promise<void>
  /** Makes a directory, and gives its path. */
  makeDir(path: string): Promise<string>
  /** Gives the place up, with all that is in it but the logs. */
  end(): Promise<void>
}

/** Why a card could not be written, from what qemu-img said. */
export function cardFailure(said: string): RaspiError {
  return new RaspiError(
    'boot',
    `The Pi's card could not be written: ${said.replace(/^qemu-img: /, '').split('\n')[0]}`,
    {
      hint: 'Is the disk full, or the cache directory not yours? `npx vitest-raspi doctor` tells.',
    },
  )
}
