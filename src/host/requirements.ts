import { RaspiError } from '../errors.ts'
import { checkBinfmt } from './binfmt.ts'
import { type Check, checkLine, type Group, isLacking } from './check.ts'
import { checkTool } from './check-tool.ts'
import { type HostContext, hostContext } from './context.ts'
import { listOf } from './list-of.ts'
import { packageManager } from './packages.ts'
import { checkCores, checkDisk, checkMemory } from './resources.ts'
import { type Tool, type ToolName, tools } from './tools.ts'
import { checkVirtualisation } from './virtualisation.ts'

/** One thing that a host should have. */
export type Need =
  | ToolName
  | 'binfmt'
  | 'binfmt for armhf'
  | 'binfmt for armhf, perhaps'
  | 'disk'
  | 'disk for an image'
  | 'memory'
  | 'cores'
  | 'virtualisation'
  | 'linux'

/**
 * What a host needs to run tests, for Pis to have BMCs or DHCP, or to build an image while the cache has none: one whose programs
 * are for `architecture`. Without one also what some images need, as what is good to have.
 */
export function requirementsFor(
  group: Group,
  context: HostContext = hostContext(),
  architecture?: string,
): Need[] {
  if (group === 'build' && context.platform !== 'linux') return ['linux']
  const wanted = (Object.entries(tools) as [ToolName, Tool][])
    .filter(([, tool]) => tool.group === group && (tool.only?.(context) ?? true))
    .map(([name]) => name)
  if (group === 'bmc' || group === 'dhcp') return wanted
  if (group === 'run') return [...wanted, 'disk', 'memory', 'cores', 'virtualisation']
  return [...wanted, ...(wanted.includes('qemuUser') ? binfmtFor(architecture) : []), 'disk for an image']
}

/** Looks for each of `needs`, all at the same time, and gives the findings in their order. Never throws for what is missing. */
export async function check(needs: readonly Need[], context: HostContext = hostContext()): Promise<Check[]> {
  const manager = await packageManager(context)
  return Promise.all(
    needs.map(async (need) => {
      switch (need) {
        case 'binfmt':
          return checkBinfmt(context, 'arm64')
        case 'binfmt for armhf':
          return checkBinfmt(context, 'armhf')
        case 'binfmt for armhf, perhaps':
          return optional(checkBinfmt(context, 'armhf'))
        case 'linux':
          return checkLinux(context)
        case 'disk':
          return checkDisk('run', context)
        case 'disk for an image':
          return checkDisk('build', context)
        case 'memory':
          return checkMemory(context)
        case 'cores':
          return checkCores(context)
        case 'virtualisation':
          return checkVirtualisation(context)
        default:
          return checkTool(tools[need], manager, context).then((found) =>
            (tools as Record<string, Tool>)[need]?.optional ? optional(found) : found,
          )
      }
    }),
  )
}

/** What a host need not have whose Pis run elsewhere. */
export const qemuPrograms = ['qemu', 'qemuImg'] as const satisfies readonly ToolName[]

/** What a host need not have where Ansible runs elsewhere. */
export const ansiblePrograms = ['ansiblePlaybook', 'mitogen'] as const satisfies readonly ToolName[]

/** The host's programs that a run uses, by their paths. */
export interface HostTools {
  qemu: string
  /** As QEMU tells it: `7.2.22`. A frozen Pi thaws on the QEMU it was frozen on. */
  qemuVersion: string
  qemuImg: string
  ssh: string
  ansiblePlaybook: string
  /** That of ansible-core: `2.14.18`. */
  ansibleVersion: string
}

/**
 * Makes sure, before anything is started, that the host has what `groups` need; `run` is always one of them, `build` is
 * wanted while the cache has no image, one for `architecture`, and `bmc` where Pis are to have BMCs; what is `without` need
 * not be there. Throws a `RaspiError` of kind `host` with the doctor's lines for just what is lacking.
 */
export async function assertHost(
  groups: readonly Group[] = ['run'],
  given: Partial<HostContext> = {},
  { architecture = 'arm64', without = [] }: { architecture?: string; without?: readonly Need[] } = {},
): Promise<HostTools> {
  const context = hostContext(given)
  const needs = [...new Set<Group>(['run', ...groups])]
    .flatMap((group) => requirementsFor(group, context, architecture))
    .filter((need) => !without.includes(need))
  const checks = await assertNeeds(needs, context)
  const found = new Map(needs.map((need, index) => [need, checks[index]]))
  const path = (name: ToolName) => found.get(name)?.path ?? ''
  const version = (name: ToolName) => found.get(name)?.version ?? ''
  return {
    qemu: path('qemu'),
    qemuVersion: version('qemu'),
    qemuImg: path('qemuImg'),
    ssh: path('ssh'),
    ansiblePlaybook: path('ansiblePlaybook'),
    ansibleVersion: version('ansiblePlaybook'),
  }
}

/** Makes sure that the host has all of `needs`, and gives the findings in their order. Throws as {@link assertHost} does. */
export async function assertNeeds(
  needs: readonly Need[],
  context: HostContext = hostContext(),
): Promise<Check[]> {
  const checks = await check(needs, context)
  const lacking = checks.filter(isLacking)
  if (lacking.length === 0) return checks
  // The doctor sees to that only when asked.
  const only = (['bmc', 'dhcp'] as const).find((each) => lacking.every(({ group }) => group === each))
  const names = listOf(lacking.map(({ name }) => name))
  throw new RaspiError('host', `Nothing was started, because this host lacks what it needs: ${names}.`, {
    hint: `\`npx vitest-raspi doctor${only ? ` --for ${only}` : ''} --fix\` installs what a package manager has; each line tells what else to do.`,
    evidence: lacking.map((each) => checkLine(each)).join('\n'),
  })
}

const binfmtFor = (architecture: string | undefined): Need[] => {
  if (architecture === undefined) return ['binfmt', 'binfmt for armhf, perhaps']
  return architecture === 'armhf' ? ['binfmt', 'binfmt for armhf'] : ['binfmt']
}

/** A thing that only some can do nothing without: where it is missing it is a warning. */
const optional = (check: Check): Check => (isLacking(check) ? { ...check, status: 'warning' } : check)

function checkLinux({ platform, cacheDir }: HostContext): Check {
  return {
    name: 'Linux',
    group: 'build',
    status: 'missing',
    found: `(builds the image, which ${platform} cannot)`,
    remedy: `build the image on Linux and copy that host's cache directory to ${cacheDir}`,
  }
}
