import { constants } from 'node:os'
import type { Command } from 'commander'
import { execa } from 'execa'
import { RaspiError } from '../errors.ts'
import { sshOptions } from '../pi/ssh.ts'
import { StandingLabs } from '../standing/client.ts'
import type { CommandContext } from './output.ts'

const examples = `
Examples:
  vitest-raspi ssh boreas                      a shell on the Pi
  vitest-raspi ssh boreas systemctl --failed   one command; exits with its exit code
  vitest-raspi ssh boreas 'uptime; free -h'    several, for the Pi's shell

It exits with the exit code of the command, or with 255 where ssh failed.`

/** Adds `ssh`, which logs in to a Pi with OpenSSH. */
export function addSsh(program: Command, { env, setExitCode }: CommandContext): void {
  program
    .command('ssh')
    .description('log in to a Pi, or run a command on it')
    .argument('<name>', 'the Pi')
    .argument('[command...]', 'what to run on it (default: a shell)')
    // What stands after the Pi's name is the command's, options too.
    .passThroughOptions()
    .addHelpText('after', examples)
    .action(async (name: string, given: string[]) => {
      // As OpenSSH has it.
      const command = given[0] === '--' ? given.slice(1) : given
      const { connection, controlPath } = await new StandingLabs(env).one(name)
      const options = sshOptions(connection, controlPath)
      setExitCode(
        await runSsh([...options, connection.host, ...(command.length > 0 ? ['--', ...command] : [])]),
      )
    })
}

/** Runs OpenSSH on this very terminal, and gives its exit code. */
export async function runSsh(args: readonly string[]): Promise<number> {
  // Ctrl-C is for what runs on the Pi.
  const ignore = () => {}
  process.on('SIGINT', ignore)
  try {
    const { exitCode, signal, code } = await execa('ssh', args, { stdio: 'inherit', reject: false })
    if (code === 'ENOENT')
      throw new RaspiError('host', 'OpenSSH is not installed.', { hint: 'Run `vitest-raspi doctor --fix`.' })
    return exitCode ?? 128 + (signal ? constants.signals[signal] : 0)
  } finally {
    process.off('SIGINT', ignore)
  }
}
