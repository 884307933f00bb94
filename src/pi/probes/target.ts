import type { PiConnection } from '../connection.ts'
import type { Conversation } from '../conversation.ts'

/** How a command that a probe ran ended. */
export interface CommandOutcome {
  exitCode: number
  stdout: string
  stderr: string
}

/** How a probe wants its command run. */
export interface CommandOptions {
  /** Run it as root, by `sudo -n`. @default false */
  sudo?: boolean
  /** What the command reads from its standard input. */
  input?: string
  /** Throw where the command ends with another exit code than 0. @default true */
  reject?: boolean
  timeoutMs?: number
}

/** What probes and matchers need of a Pi, and all that they know of it. */
export interface ProbeTarget {
  name: string
  connection: PiConnection
  run(command: string, options?: CommandOptions): Promise<CommandOutcome>
  /** Starts a command as root that is asked more than once. Without it each question has a command of its own. */
  converse?(command: string): Conversation
}

/** Tells whether `value` is a Pi, as far as probes are concerned. */
export function isProbeTarget(value: unknown): value is ProbeTarget {
  if (typeof value !== 'object' || value === null) return false
  const { name, connection, run } = value as Partial<ProbeTarget>
  return typeof name === 'string' && typeof connection === 'object' && typeof run === 'function'
}
