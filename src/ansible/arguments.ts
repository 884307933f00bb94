import type { AnsibleEvent } from './events.ts'
import { assertHarmless } from './harmless.ts'
import type { TaskActions } from './task-actions.ts'
import { type VaultOptions, vaultArguments } from './vault.ts'

/** How a playbook is to run. */
export interface PlaybookOptions extends VaultOptions {
  /** Variables that rank above all others. They go through a private file, not the command line, which everyone may read. */
  extraVars?: Record<string, unknown>
  /** Only plays and tasks with these tags. */
  tags?: string | readonly string[]
  /** No plays and tasks with these tags. */
  skipTags?: string | readonly string[]
  /** Only these hosts: Ansible's patterns. @default all leased Pis */
  limit?: string | readonly string[]
  /** Change nothing, tell what would change. @default false */
  check?: boolean
  /** Tell how files change; what is in them then shows in `stdout` and in messages. @default what ansible.cfg says */
  diff?: boolean
  /** Environment variables besides those of the process; `undefined` takes one away. */
  env?: Record<string, string | undefined>
  /** Takes what Ansible reports while the playbook runs. What it throws stops the playbook. */
  onEvent?: (event: AnsibleEvent) => void
  /**
   * What to do as soon as a task begins, by its name: `{ 'Install nginx': () => pi.power.cut() }`. The task is at work by
   * then. What is thrown stops the playbook; a task that does not begin is an error, unless the playbook has another one.
   */
  onTask?: TaskActions
  /** Further arguments of ansible-playbook, `['-vvv']`. */
  args?: readonly string[]
}

/**
 * The arguments of ansible-playbook for `playbook` with `options`. The inventory that is read last wins. Throws a
 * `RaspiError` where `args` would undo what keeps the playbook with its Pis.
 */
export function argumentsOf(
  playbook: string,
  options: PlaybookOptions,
  files: { inventories: readonly string[]; extraVars?: string },
): string[] {
  const { tags, skipTags, limit, check, diff, args = [] } = options
  assertHarmless(args)
  return [
    ...files.inventories.map((inventory) => `--inventory=${inventory}`),
    ...vaultArguments(options),
    ...(files.extraVars ? [`--extra-vars=@${files.extraVars}`] : []),
    ...list('--tags', tags),
    ...list('--skip-tags', skipTags),
    ...list('--limit', limit),
    ...(check ? ['--check'] : []),
    ...(diff ? ['--diff'] : []),
    ...args,
    playbook,
  ]
}

function list(option: string, value: string | readonly string[] | undefined): string[] {
  const joined = typeof value === 'string' ? value : value?.join(',')
  return joined ? [`${option}=${joined}`] : []
}
