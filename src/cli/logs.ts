import type { Command } from 'commander'
import { isRaspiError } from '../errors.ts'
import { quote } from '../host/quote.ts'
import { runBySsh, sshOptions } from '../pi/ssh.ts'
import { StandingLabs } from '../standing/client.ts'
import { parseCount } from './duration.ts'
import { type CommandContext, json } from './output.ts'
import { runSsh } from './ssh.ts'

const examples = `
Examples:
  vitest-raspi logs boreas              what became of it, and the end of its journal
  vitest-raspi logs boreas -u nginx     the journal of one unit
  vitest-raspi logs boreas -f           go on with what comes, until Ctrl-C`

interface LogsOptions {
  lines: number
  unit?: string
  follow?: boolean
  json?: boolean
}

/** Adds `logs`, which shows what became of a Pi, and its journal. */
export function addLogs(program: Command, { output, env, setExitCode }: CommandContext): void {
  program
    .command('logs')
    .description('show what became of a Pi, and its journal')
    .argument('<name>', 'the Pi')
    .option('-n, --lines <n>', 'so many of the last lines of the journal', parseCount(1, 1_000_000), 100)
    .option('-u, --unit <unit>', 'only those of this systemd unit')
    .option('-f, --follow', 'go on with what comes')
    .option('--json', 'print JSON: { events, journal }, the journal as journalctl has it')
    .addHelpText('after', examples)
    .action(async (name: string, options: LogsOptions) => {
      const labs = new StandingLabs(env)
      const [found] = await labs.find([name])
      if (!found) return
      const events = found.state === 'gone' ? [] : await labs.events(found)
      if (!options.json) for (const { at, text } of events) output.out(`${at} ${text}`)
      // Throws where there is no journal to be had, with the reason.
      const pi = await labs.one(name).catch((error) => {
        if (!options.json || !isRaspiError(error)) throw error
      })
      if (options.json) {
        const lines = pi
          ? await runBySsh(name, pi.connection, pi.controlPath, journalctl({ ...options, json: true }), {
              sudo: true,
            })
          : { stdout: '' }
        const journal = lines.stdout
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line))
        return output.out(json({ events, journal }))
      }
      if (!pi) return
      const ssh = [...sshOptions(pi.connection, pi.controlPath), pi.connection.host, '--']
      setExitCode(await runSsh([...ssh, `sudo -n ${journalctl(options)}`]))
    })
}

/** The command for the guest. */
export function journalctl({ lines, unit, follow, json }: LogsOptions): string {
  return [
    ...['journalctl', '--no-pager', '--quiet', `--lines=${lines}`],
    ...(unit === undefined ? [] : [`--unit=${quote(unit)}`]),
    ...(follow && !json ? ['--follow'] : []),
    ...(json ? ['--output=json'] : ['--output=short-iso']),
  ].join(' ')
}
