import { Command, CommanderError } from 'commander'
import { isRaspiError } from '../errors.ts'
import { type HostContext, hostContext } from '../host/context.ts'
import { manifest } from '../host/manifest.ts'
import { addCacheKey } from './cache-key/cache-key.ts'
import { addCompletion } from './completion.ts'
import { addConsole } from './console.ts'
import { addDoctor } from './doctor.ts'
import { addDown } from './down.ts'
import { exitCodes, exitCodesHelp } from './exit-codes.ts'
import { addFreeze } from './freeze.ts'
import { addImage } from './image/image.ts'
import { addInit } from './init.ts'
import { addInventory } from './inventory.ts'
import { addLogs } from './logs.ts'
import { addLs } from './ls.ts'
import type { CommandContext, Output } from './output.ts'
import { addPower } from './power.ts'
import { addProvision } from './provision.ts'
import { addPrune } from './prune.ts'
import { addReport } from './report/report.ts'
import { addReset } from './reset.ts'
import { addSsh } from './ssh.ts'
import { addUp } from './up.ts'

const examples = `
Examples:
  npx vitest-raspi doctor         what this host has and lacks
  npx vitest-raspi doctor --fix   install what is missing
  npx vitest-raspi up --count 4   four Pis to play with, until Ctrl-C
  npx vitest-raspi help doctor    more about a command`

/** Runs the command line `args` (without node and script) and gives the exit code. Never throws. */
export async function runCli(
  args: readonly string[],
  output: Output,
  context: HostContext = hostContext(),
): Promise<number> {
  let exitCode: number = exitCodes.ok
  const program = new Command('vitest-raspi')
    .description('Emulated Raspberry Pis for testing Ansible playbooks with Vitest')
    .version(manifest().version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', examples)
    .addHelpText('afterAll', exitCodesHelp)
    .showHelpAfterError('Run it with --help to see what there is.')
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.err(text.trimEnd()),
    })
    .exitOverride()
    .enablePositionalOptions()
  const setExitCode = (code: number) => {
    exitCode = code
  }
  addDoctor(program, context, output, setExitCode)
  const commands: CommandContext = { output, env: context.env, cwd: process.cwd(), setExitCode }
  const adders = [
    ...[addInit, addUp, addLs, addSsh, addConsole, addLogs, addInventory, addReset, addDown],
    ...[addPower, addProvision, addFreeze, addPrune, addReport, addCompletion],
  ]
  for (const add of adders) add(program, commands)
  addImage(program, { context, output, setExitCode })
  addCacheKey(program, { context, output })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said by now what is wrong, or printed the help or the version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    if (isRaspiError(error)) {
      output.err(error.message)
      return error.kind === 'options' ? exitCodes.usage : exitCodes.failed
    }
    output.err(error instanceof Error && error.stack ? error.stack : String(error))
    return exitCodes.fault
  }
}
