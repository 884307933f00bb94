import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostContext } from '../../src/host/context.ts'
import { programsNamed } from '../../src/host/programs.ts'
import { type Tool, tools } from '../../src/host/tools.ts'

/** Whether there is a program of this name along PATH. */
export const hasProgram = (name: string) =>
  spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' }).status === 0

/** Makes the directory `dir` with a link to each program that a run needs, but `without`, as the only one of a PATH. */
export async function programsWithout(without: string, dir: string): Promise<string> {
  mkdirSync(dir, { recursive: true })
  const needed = Object.values<Tool>(tools).flatMap(({ group, names }) => (group === 'run' ? names : []))
  for (const name of ['sh', 'env', 'ssh-keygen', ...needed]) {
    const [program] = await programsNamed(name, hostContext())
    if (program && name !== without) symlinkSync(program, join(dir, name))
  }
  return dir
}

/** Makes the directory `dir` with a program `name` that says `text` whatever it is asked. */
export function programThatSays(text: string, name: string, dir: string): string {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, name), `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 })
  return dir
}
