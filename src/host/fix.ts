import { execa } from 'execa'
import { RaspiError } from '../errors.ts'
import { binfmtOf, registerCommands } from './binfmt.ts'
import type { Check } from './check.ts'
import type { HostContext } from './context.ts'
import { type Command, installCommand, packageManager, refreshCommands, shown } from './packages.ts'
import type { Log } from './progress.ts'

/**
 * Installs the packages that bring what `checks` lack, then registers Arm's programs with the kernel where that is lacking. Each
 * command is logged before it runs; what it prints goes to stderr, and it may ask for sudo's password. Throws a
 * `RaspiError` of kind `host` at the first one that fails.
 */
export async function fix(checks: readonly Check[], context: HostContext, log: Log): Promise<void> {
  const manager = await packageManager(context)
  const packages = [...new Set(checks.flatMap((check) => check.packages ?? []))]
  if (manager && packages.length > 0) {
    for (const command of refreshCommands(manager, context)) await run(command, context, log)
    await run(installCommand(manager, packages, context), context, log)
  }
  // Only now: the package brings the entry's file, and where systemd runs the package has registered it already.
  for (const programs of checks.flatMap((check) => binfmtOf(check) ?? []))
    for (const command of registerCommands(context, programs)) await run(command, context, log, inContainer)
}

/** Tells whether {@link fix} can do something about `check`. */
export function isFixable(check: Check, context: HostContext): boolean {
  const programs = binfmtOf(check)
  return (
    check.packages !== undefined || (programs !== undefined && registerCommands(context, programs).length > 0)
  )
}

const inContainer =
  'A container may not do that; do it on its host: docker run --privileged --rm tonistiigi/binfmt --install arm64,arm'

async function run([file, ...args]: Command, context: HostContext, log: Log, hint = ''): Promise<void> {
  const command = shown([file, ...args])
  log(`$ ${command}`)
  const { failed, originalMessage, exitCode, code } = await execa(file, args, {
    env: context.env,
    extendEnv: false,
    reject: false,
    stdio: ['inherit', process.stderr, process.stderr],
  })
  if (!failed) return
  if (code === 'ENOENT') {
    throw new RaspiError('host', `\`${command}\` could not be run: there is no ${file} on this host.`, {
      hint: 'Run the doctor as root, or have an administrator run that command.',
    })
  }
  throw new RaspiError('host', `\`${command}\` failed: ${originalMessage || `exit code ${exitCode}`}.`, {
    hint: `Its own output above says why. Run the doctor again once that is put right.\n${hint}`.trim(),
  })
}
