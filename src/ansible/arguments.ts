import * as z from 'zod'
import { callback, environment, optionObject, texts, variables } from '../option-objects.ts'
import type { AnsibleEvent } from './events.ts'
import { assertHarmless } from './harmless.ts'
import type { TaskActions } from './task-actions.ts'
import { vaultArguments, vaultShape } from './vault.ts'

/** Every option of a playbook's run. */
export const playbookShape = {
  ...vaultShape,
  /** Variables that rank above all others. They go through a private file, not the command line, which everyone may read. */
  extraVars: variables.optional(),
  /** Only plays and tasks with these tags. */
  tags: texts.optional(),
  /** No plays and tasks with these tags. */
  skipTags: texts.optional(),
  /** Only these hosts: Ansible's patterns. @default all leased Pis */
  limit: texts.optional(),
  /** Change nothing, tell what would change. @default false */
  check: z.boolean().optional(),
  /** Tell how files change; what is in them then shows in `stdout` and in messages. @default what ansible.cfg says */
  diff: z.boolean().optional(),
  /** Environment variables besides those of the process; `undefined` takes one away. */
  env: environment.optional(),
  /** Takes what Ansible reports while the playbook runs. What it throws stops the playbook. */
  onEvent: callback<(event: AnsibleEvent) => void>().optional(),
  /**
   * What to do as soon as a task begins, by its name: `{ 'Install nginx': () => pi.power.cut() }`. The task is at work by
   * then. What is thrown stops the playbook; a task that does not begin is an error, unless the playbook has another one.
   */
  onTask: z.record(z.string(), callback<TaskActions[string]>()).optional(),
  /** Further arguments of ansible-playbook, `['-vvv']`. */
  args: z.array(z.string()).readonly().optional(),
}

export const playbookSchema = optionObject(playbookShape)

/** How a playbook is to run. */
export type PlaybookOptions = z.input<typeof playbookSchema>

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
