import { stripVTControlCharacters } from 'node:util'
import { runCli } from '../../../src/cli/program.ts'
import type { HostContext } from '../../../src/host/context.ts'
import { fakeHost } from '../host/fake-host.ts'

/** Runs a command line as a user does, on `context`; gives its exit code and what it has said, without colours. */
export async function run(args: readonly string[], context: HostContext = fakeHost().context) {
  const out: string[] = []
  const err: string[] = []
  const exitCode = await runCli(
    args,
    { out: (line) => out.push(line), err: (line) => err.push(line) },
    context,
  )
  return {
    exitCode,
    out: stripVTControlCharacters(out.join('\n')),
    err: stripVTControlCharacters(err.join('\n')),
  }
}
