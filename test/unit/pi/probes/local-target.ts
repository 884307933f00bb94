import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import type { CommandOptions, CommandOutcome, ProbeTarget } from '../../../../src/pi/probes/target.ts'

const connection = {
  host: '127.0.0.1',
  port: 40022,
  user: 'pi',
  privateKeyFile: 'key',
  knownHostsFile: 'known_hosts',
}

/** A target that answers every command by `run`. */
export function target(run: ProbeTarget['run'], name = 'boreas'): ProbeTarget {
  return { name, connection, run }
}

/** This very machine in a Pi's place, with the rights that the tests have. Counts its round trips. */
export function localTarget(): ProbeTarget & { roundTrips: number } {
  const pi = { ...target(run), roundTrips: 0 }
  async function run(command: string, { input = '' }: CommandOptions = {}): Promise<CommandOutcome> {
    pi.roundTrips += 1
    const child = spawn('sh', ['-c', command])
    const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 255)))
    child.stdin.end(input)
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    return { exitCode, stdout, stderr }
  }
  return pi
}

/** A Pi that has these answers ready, one a query. */
export function answeringTarget(...answers: object[]): ProbeTarget {
  const stdout = `\n${JSON.stringify({ root: true, answers })}\n`
  return target(async () => ({ exitCode: 0, stdout, stderr: '' }))
}
