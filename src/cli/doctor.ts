import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import { type Check, checkLine, type Group, isLacking, type Paint } from '../host/check.ts'
import type { HostContext } from '../host/context.ts'
import { fix, isFixable } from '../host/fix.ts'
import { packageManager, systemName } from '../host/packages.ts'
import { check, type Need, qemuPrograms, requirementsFor } from '../host/requirements.ts'
import { exitCodes } from './exit-codes.ts'
import { cacheDirOption, type Output } from './output.ts'

/** The options of `vitest-raspi doctor`. */
export interface DoctorOptions {
  fix?: boolean
  json?: boolean
  for?: Group
}

const titles: Record<Group, string> = {
  run: 'To run tests',
  build: 'To build an image (only while the cache has none)',
  bmc: 'For Pis to have BMCs (only where they are asked for)',
  dhcp: 'For networks to have DHCP (only where it is asked for)',
}

const examples = `
Examples:
  vitest-raspi doctor             what this host has and lacks
  vitest-raspi doctor --fix       install what is missing with apt, dnf, pacman, zypper or brew
  vitest-raspi doctor --for run   leave out what only building an image needs
  vitest-raspi doctor --json      the same for machines`

/** Adds `doctor` to `program`: it examines the host of `context` and gives its exit code to `setExitCode`. */
export function addDoctor(
  program: Command,
  context: HostContext,
  output: Output,
  setExitCode: (code: number) => void,
): void {
  program
    .command('doctor')
    .description('tell what this host has and lacks, and what to do about it')
    .option('--fix', 'install what is missing, as root or by sudo')
    .addOption(
      new Option('--for <what>', 'check only what this needs').choices(['run', 'build', 'bmc', 'dhcp']),
    )
    .option('--json', 'print JSON: { ok, system, packageManager, checks }')
    .addOption(cacheDirOption('where images and frozen Pis are kept'))
    .addHelpText('after', examples)
    .action(async ({ cacheDir, ...options }: DoctorOptions & { cacheDir?: string }) => {
      setExitCode(await doctor(options, cacheDir ? { ...context, cacheDir } : context, output))
    })
}

/**
 * Tells what the host has and lacks, after having installed what it can with `fix`. Gives the exit code: `failed` where
 * something is missing or too old. Throws a `RaspiError` where a command of `fix` fails.
 */
export async function doctor(
  { fix: fixing = false, json = false, for: only }: DoctorOptions,
  context: HostContext,
  { out, err }: Output,
): Promise<number> {
  const groups: Group[] = only ? [only] : ['run', 'build']
  const elsewhere: readonly Need[] = context.env.VITEST_RASPI_ENGINE === 'docker' ? qemuPrograms : []
  const needs = groups
    .flatMap((group) => requirementsFor(group, context))
    .filter((need) => !elsewhere.includes(need))
  const look = () => check(needs, context)
  let checks = await look()
  const unwell = checks.filter(({ status }) => status !== 'ok')
  if (fixing && unwell.some((each) => isLacking(each) || isFixable(each, context))) {
    await fix(unwell, context, err)
    checks = await look()
  }
  const lacking = checks.filter(isLacking)
  const manager = await packageManager(context)
  if (json) {
    const report = {
      ok: lacking.length === 0,
      system: systemName(context),
      packageManager: manager ?? null,
      checks,
    }
    out(JSON.stringify(report, undefined, 2))
  } else {
    out(
      `${styleText('bold', systemName(context))}, ${context.arch}${manager ? `, packages by ${manager}` : ''}`,
    )
    for (const group of groups) {
      out(`\n${styleText('bold', titles[group])}`)
      for (const each of checks.filter((one) => one.group === group)) out(`  ${checkLine(each, paint)}`)
    }
    out(`\n${verdict(checks, fixing, context)}`)
  }
  return lacking.length === 0 ? exitCodes.ok : exitCodes.failed
}

function verdict(checks: readonly Check[], fixed: boolean, context: HostContext): string {
  const lacking = checks.filter(isLacking)
  if (lacking.length === 0) return paint('ok', 'Nothing is missing.')
  const count = lacking.length === 1 ? 'One thing is lacking.' : `${lacking.length} things are lacking.`
  const fixable = !fixed && lacking.some((each) => isFixable(each, context))
  const advice = fixable ? '`npx vitest-raspi doctor --fix` installs what it can; the' : 'The'
  return `${paint('missing', count)} ${advice} arrows (→) tell what to do by hand.`
}

const paint: Paint = (part, text) => {
  const styles = {
    ok: 'green',
    missing: 'red',
    'too old': 'yellow',
    warning: 'yellow',
    remedy: 'cyan',
    name: 'bold',
  } as const
  return styleText(styles[part], text)
}
