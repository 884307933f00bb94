import * as z from 'zod'
import type { PlaybookOptions } from '../ansible/arguments.ts'
import type { VaultOptions } from '../ansible/vault.ts'
import { RaspiError } from '../errors.ts'
import type { PrepareStep } from '../lab/protocol.ts'
import { environment } from '../option-objects.ts'

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
  env: environment.optional(),
  /** Further arguments of ansible-playbook. */
  args: z.array(z.string()).optional(),
})

const prepareSchema = z
  .union([z.string().min(1), stepSchema, z.array(z.union([z.string().min(1), stepSchema])).min(1)])
  .transform((given) => [given].flat().map((each) => (typeof each === 'string' ? { playbook: each } : each)))

/** A playbook that prepares Pis, or several, in their order; each by its path, or with options. */
export type PrepareOption = z.input<typeof prepareSchema>

/**
 * `steps` as runs with the options `defaults` are: a step's own environment comes on top. In JSON, which has no
 * `undefined`, a variable that is taken away is `null`.
 */
export function withDefaults(
  steps: readonly PrepareStep[],
  { env, ...vaults }: VaultOptions & Pick<PlaybookOptions, 'env'>,
): PrepareStep[] {
  return steps.map((step) => ({
    ...{ ...vaults, ...step },
    ...((env || step.env) && { env: mapValues({ ...env, ...step.env }, (value) => value ?? null) }),
  }))
}

/** The environment of a step that came as JSON. */
export function environmentOfStep({ env = {} }: PrepareStep): Record<string, string | undefined> {
  return mapValues(env, (value) => value ?? undefined)
}

const mapValues = <From, To>(object: Record<string, From>, turn: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, turn(value)]))

/** The steps of a `prepare` option. Throws a `RaspiError` that names what is wrong with it. */
export function stepsOf(prepare: PrepareOption): PrepareStep[] {
  const result = prepareSchema.safeParse(prepare)
  if (result.success) return result.data
  throw new RaspiError('options', `raspiTest({ prepare }) is wrong:\n${z.prettifyError(result.error)}`, {
    hint: "It is a playbook ('prepare.yml'), one with options ({ playbook, extraVars, tags, skipTags, env, args }), or a list of such.",
  })
}
