import { constants } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import { delimiter, resolve } from 'node:path'
import { execa } from 'execa'
import { type HostContext, systemPath } from './context.ts'

/** Debian and others keep these out of the PATH of everyone but root, though anyone may run what is in them. */
const sbinDirs = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** How long a program may take to tell its version, in ms. A cold ansible-playbook on a busy host takes seconds. */
const versionTimeout = 30_000

/**
 * Every program called `name`, in the order in which the host would choose it: along PATH, then in the sbin
 * directories. Two names of the same file count once.
 */
export async function programsNamed(name: string, context: HostContext): Promise<string[]> {
  const dirs = (context.env.PATH ?? '').split(delimiter).filter(Boolean)
  const candidates = [...dirs, ...sbinDirs.map((dir) => systemPath(context, dir))].map((dir) =>
    resolve(dir, name),
  )
  const files = new Map<string, string>()
  for (const path of candidates) {
    if (!(await isProgram(path))) continue
    const file = await realpath(path)
    if (!files.has(file)) files.set(file, path)
  }
  return [...files.values()]
}

/** Tells whether `path` is a file that the user may execute. */
export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/** The version that `path` tells when it is called with `args`, or why it tells none. */
export async function versionOf(
  path: string,
  args: readonly string[],
  pattern: RegExp,
  { env }: HostContext,
): Promise<{ version: string } | { problem: string }> {
  const result = await execa(path, [...args], {
    all: true,
    // What is read is English; the user's encoding stays, because Ansible refuses all but UTF-8.
    env: { ...env, LANGUAGE: 'C' },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: versionTimeout,
  })
  const version = pattern.exec(result.all ?? '')?.[1]
  if (version) return { version }
  if (result.timedOut) return { problem: `did not answer within ${versionTimeout / 1000} s` }
  const said = result.all?.trim().split('\n')[0] || result.originalMessage || `exit code ${result.exitCode}`
  return { problem: `tells no version: ${said}` }
}

const byNumbers = new Intl.Collator('en', { numeric: true })

/** Tells whether `version` is `minimum` or later: `10.0.2` is later than `7.2`. */
export function isAtLeast(version: string, minimum: string): boolean {
  return byNumbers.compare(version, minimum) >= 0
}
