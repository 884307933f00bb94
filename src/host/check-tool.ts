import { existsSync } from 'node:fs'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import type { Check } from './check.ts'
import { type HostContext, systemPath } from './context.ts'
import { installByHand, type PackageManager } from './packages.ts'
import { isAtLeast, isProgram, programsNamed, versionOf } from './programs.ts'
import type { Tool } from './tools.ts'

/** A copy of a program: its path with its version, or with why it tells none. */
type Copy = { path: string } & ({ version: string } | { problem: string })

/** Looks for `tool` and asks it for its version; says how to get it where it is missing or too old. */
export async function checkTool(
  tool: Tool,
  manager: PackageManager | undefined,
  context: HostContext,
): Promise<Check> {
  const check = { name: nameOf(tool), group: tool.group }
  const named = tool.variable && context.env[tool.variable]
  if (named) return { ...check, ...(await checkNamed(tool, resolve(named), context)) }

  const paths = await pathsOf(tool, context)
  const [path] = paths
  const install = cure(tool, manager, context)
  if (!path) return { ...check, status: 'missing', found: `(${tool.purpose})`, ...install }
  if (!tool.version) return { ...check, status: 'ok', found: path, path }

  const chosen = await copyAt(path, tool, context)
  if (!('version' in chosen)) {
    const call = [path, ...tool.version.args].join(' ')
    const remedy = `make \`${call}\` work, or install it anew: ${install.remedy}`
    return { ...check, status: 'missing', found: `${path} ${chosen.problem}`, remedy }
  }
  const { version } = chosen
  const found = `${version}, ${path}`
  if (isNewEnough(chosen, tool)) return { ...check, status: 'ok', found, path, version }

  const tooOld = {
    ...check,
    status: 'too old',
    found: `${found}; ${tool.minimum} or later is needed`,
    path,
    version,
  } as const
  const others = await Promise.all(paths.slice(1).map((other) => copyAt(other, tool, context)))
  const newer = others.find((other) => isNewEnough(other, tool))
  if (newer) return { ...tooOld, remedy: prefer(newer, tool) }
  const otherwise = `${install.remedy}; where that brings no later one: ${tool.home}`
  return { ...tooOld, ...install, remedy: install.packages ? otherwise : install.remedy }
}

function nameOf({ names: [name] }: Tool): string {
  return isAbsolute(name) ? basename(name, '.gpg') : name
}

async function pathsOf({ names }: Tool, context: HostContext): Promise<string[]> {
  const [file] = names
  if (isAbsolute(file)) return [systemPath(context, file)].filter(existsSync)
  return (await Promise.all(names.map((name) => programsNamed(name, context)))).flat()
}

/** The program that the user chose by an environment variable: that one or none. */
async function checkNamed(
  tool: Tool,
  path: string,
  context: HostContext,
): Promise<Pick<Check, 'status' | 'found' | 'remedy' | 'path' | 'version'>> {
  const remedy = `let ${tool.variable} name another ${tool.names[0]}, or unset it to use the one on PATH`
  const from = `${path} by ${tool.variable}`
  if (!(await isProgram(path))) return { status: 'missing', found: `${from} is not a program`, remedy }
  const copy = await copyAt(path, tool, context)
  if (!('version' in copy)) return { status: 'missing', found: `${from} ${copy.problem}`, remedy }
  const { version } = copy
  if (isNewEnough(copy, tool)) return { status: 'ok', found: `${version}, ${from}`, path, version }
  return {
    status: 'too old',
    found: `${version}, ${from}; ${tool.minimum} or later is needed`,
    path,
    version,
    remedy,
  }
}

async function copyAt(path: string, { version }: Tool, context: HostContext): Promise<Copy> {
  if (!version) return { path, problem: 'has no version' }
  return { path, ...(await versionOf(path, version.args, version.pattern, context)) }
}

function isNewEnough(copy: Copy, { minimum }: Tool): copy is { path: string; version: string } {
  return 'version' in copy && (!minimum || isAtLeast(copy.version, minimum))
}

function prefer({ path, version }: { path: string; version: string }, { variable }: Tool): string {
  const further = `${path} is ${version}, new enough: put ${dirname(path)} first in PATH`
  return variable ? `${further}, or set ${variable}=${path}` : further
}

/** How to get the tool: the command that installs it where the host's package manager has it, else where it is from. */
function cure(
  { packages, home }: Tool,
  manager: PackageManager | undefined,
  context: HostContext,
): { remedy: string; packages?: readonly string[] } {
  if (!manager) return { remedy: `install it: ${home}` }
  const names = packages[manager]
  if (!names) return { remedy: `${manager} is not known to have it, install it by hand: ${home}` }
  return { remedy: installByHand(manager, names, context), packages: names }
}
