import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { execa } from 'execa'
import { RaspiError } from '../../errors.ts'
import { gatherShards } from '../../report/gather-shards.ts'
import { exitCodes } from '../exit-codes.ts'
import { type CommandContext, json } from '../output.ts'
import { ownVitest } from '../own-vitest.ts'

const examples = `
Examples:
  vitest-raspi report merge shards/*                            shards/1, shards/2 …: each the .vitest of a shard
  vitest-raspi report merge shards/* -- --reporter=junit        with more for Vitest
  vitest-raspi report merge shards/* --json                     what came of it, as JSON

Where what the shards left lies in .vitest already, \`vitest --merge-reports\` does the same. Needs no Pi and no QEMU.`

interface MergeOptions {
  root?: string
  json?: boolean
}

/** Adds `merge`. */
export function addMerge(report: Command, { output, env, cwd, setExitCode }: CommandContext): void {
  report
    .command('merge')
    .description('make one report of those that shards left, by `vitest --merge-reports`')
    .argument(
      '<dirs...>',
      'one directory per shard: its .vitest, or the directory that contains it; arguments for Vitest after --',
    )
    .option('--root <dir>', 'where the configuration of Vitest is (default: the working directory)')
    .option('--json', 'print JSON: { passed, reports, evidence, page, timings }')
    .addHelpText('after', examples)
    .action(async (given: string[], options: MergeOptions) => {
      const root = resolve(cwd, options.root ?? '.')
      const { dirs, args } = split(given)
      const vitest = vitestOf(root)
      const blobDir = mkdtempSync(join(tmpdir(), 'vitest-raspi-merge-'))
      try {
        const gathered = gatherShards(
          dirs.map((dir) => resolve(cwd, dir)),
          { root, blobDir },
        )
        const say = options.json ? output.err : output.out
        const passed = await runVitest([vitest, 'run', `--merge-reports=${blobDir}`, ...args], {
          root,
          env,
          say,
        })
        if (!passed) setExitCode(exitCodes.failed)
        if (options.json) {
          const of = (name: string) => join(relative(cwd, root), '.vitest/raspi', name)
          output.out(json({ passed, ...gathered, page: of('index.html'), timings: of('timings.json') }))
        }
      } finally {
        rmSync(blobDir, { recursive: true, force: true })
      }
    })
}

/** Commander gives what stands behind `--` with the rest: options are Vitest's, the others name directories. */
function split(given: readonly string[]): { dirs: string[]; args: string[] } {
  const first = given.findIndex((word) => word.startsWith('-'))
  return first < 0
    ? { dirs: [...given], args: [] }
    : { dirs: given.slice(0, first), args: given.slice(first) }
}

/** The Vitest of the project in `root`. Throws a `RaspiError` where it has none. */
function vitestOf(root: string): string {
  const manifest = ownVitest(root, 'vitest/package.json')
  if (!manifest)
    throw new RaspiError('options', `${root} has no Vitest, which merges the reports.`, {
      hint: 'Install the dependencies of the project, or name its directory with --root.',
    })
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { vitest: string } }
  return join(dirname(manifest), bin.vitest)
}

/** Runs it in `root`, says what it says, and tells whether it succeeded. */
async function runVitest(
  args: string[],
  { root, env, say }: { root: string; env: NodeJS.ProcessEnv; say: (line: string) => void },
): Promise<boolean> {
  const subprocess = execa(process.execPath, args, {
    ...{ cwd: root, env, extendEnv: false, stdin: 'ignore', all: true, reject: false, buffer: false },
  })
  for await (const line of subprocess.iterable({ from: 'all' })) say(line)
  return !(await subprocess).failed
}
