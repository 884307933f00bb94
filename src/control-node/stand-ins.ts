import { accessSync, chmodSync, constants, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { anyProgram, doorVariable } from '../ansible/elsewhere.ts'
import { RaspiError } from '../errors.ts'
import { privateDir } from '../host/paths.ts'
import { quote } from '../host/quote.ts'

/** The programs of ansible-core. */
const programs = [
  'ansible',
  ...['config', 'console', 'doc', 'galaxy', 'inventory', 'playbook', 'pull', 'test', 'vault'].map(
    (name) => `ansible-${name}`,
  ),
]

/** The program that they all are. */
const standIn = fileURLToPath(new URL(`./stand-in${extname(import.meta.url)}`, import.meta.url))

/**
 * Makes programs in `dir` that go by the names of Ansible's, each of which behaves as the one that it has started through
 * the unix socket `door`. Gives the environment for them: of this host's there is only PATH, and what is Ansible's. Throws a
 * `RaspiError` where no program may be run from `dir`: this host's own Ansible, which comes later on the PATH, would run instead.
 */
export function makeStandIns(
  dir: string,
  door: string,
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const bin = privateDir(dir)
  const start = `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(standIn)}`
  for (const name of [...programs, anyProgram]) {
    const file = join(bin, name)
    // The one for any command is told which.
    writeFileSync(file, `${start}${name === anyProgram ? '' : ` ${name}`} "$@"\n`)
    chmodSync(file, 0o700)
    assertRuns(file)
  }
  return { [doorVariable]: door, PATH: [bin, env.PATH].filter(Boolean).join(':') }
}

function assertRuns(file: string): void {
  try {
    accessSync(file, constants.X_OK)
  } catch (error) {
    throw new RaspiError(
      'host',
      `Ansible cannot run in a container: no program may be run from ${dirname(file)}.`,
      {
        hint: 'Its file system is mounted with noexec; set TMPDIR to a directory with a short path, whose file system allows programs.',
        cause: error,
      },
    )
  }
}
