import * as z from 'zod'
import type { VaultOptions } from '../ansible/vault.ts'
import { RaspiError } from '../errors.ts'
import type { PrepareStep } from '../lab/protocol.ts'

const list = z.union([z.string(), z.array(z.string())])

const stepSchema = z.strictObject({
  /** Relative to the project. */
  playbook: z.string().min(1),
  /** Variables that rank above all others. */
  extraVars: z.record(z.string(), z.json()).optional(),
  /** Only plays and tasks with these tags. */
  tags: list.optional(),
  /** No plays and tasks with these tags. */
  skipTags: list.optional(),
  /** Environment variables besides those of the process; `undefined` takes one away. */
  env: z.record(z.string(), z.string().optional()).optional(),
  /** Further arguments of ansible-playbook. */
  args: z.array(z.string()).optional(),
})

const prepareSchema = z
  .union([z.string().min(1), stepSchema, z.array(z.union([z.string().min(1), stepSchema])).min(1)])
  .transform((given) => [given].flat().map((each) => (typeof each === 'string' ? { playbook: each } : each)))

/** A playbook that prepares Pis, or several, in their order; each by its path, or with options. */
export type PrepareOption = z.input<typeof prepareSchema>

/** `steps` as runs with the options `defaults` are: a step's own environment comes on top. */
export function withDefaults(
  steps: readonly PrepareStep[],
  { env, ...vaults }: VaultOptions & Pick<PrepareStep, 'env'>,
): PrepareStep[] {
  return steps.map((step) => ({ ...vaults, ...step, ...(env && { env: { ...env, ...step.env } }) }))
}

/** The steps of a `prepare` option. Throws a `RaspiError` that names what is wrong with it. */
export function stepsOf(prepare: PrepareOption): PrepareStep[] {
  const result = prepareSchema.safeParse(prepare)
  if (result.success) return result.data
  throw new RaspiError('options', `raspiTest({ prepare }) is wrong:\n${z.prettifyError(result.error)}`, {
    hint: "It is a playbook ('prepare.yml'), one with options ({ playbook, extraVars, tags, skipTags, env, args }), or a list of such.",
  })
}
