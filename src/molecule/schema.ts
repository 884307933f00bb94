import * as z from 'zod'

// Only what is made use of: Molecule's own schema grows with its drivers.
// https://github.com/ansible/molecule/blob/main/src/molecule/data/molecule.json

const vars = z.record(z.string(), z.unknown())
const varsByName = z.record(
  z.string(),
  vars.nullable().transform((value) => value ?? {}),
)
/** An environment: numbers and booleans in it are meant as texts. */
const environment = z.record(z.string(), z.coerce.string())
const texts = z.array(z.coerce.string())
const sequence = z.array(z.string())

const platform = z.looseObject({
  name: z.string().min(1),
  groups: z.array(z.string()).optional(),
  children: z.array(z.string()).optional(),
})

const playbooks = z.looseObject({
  prepare: z.string().nullable().optional(),
  converge: z.string().optional(),
  side_effect: z.string().nullable().optional(),
  verify: z.string().nullable().optional(),
  cleanup: z.string().nullable().optional(),
})

/** A molecule.yml, in the form of today (`ansible:`) and in that of before (all below `provisioner:`). */
export const moleculeSchema = z.looseObject({
  dependency: z
    .looseObject({
      name: z.string().nullable().optional(),
      enabled: z.boolean().optional(),
      options: vars.optional(),
    })
    .optional(),
  driver: z.looseObject({ name: z.string().nullable().optional() }).optional(),
  platforms: z.array(platform).nullable().optional(),
  ansible: z
    .looseObject({
      cfg: z.record(z.string(), vars).optional(),
      env: environment.optional(),
      playbooks: playbooks.optional(),
      executor: z
        .looseObject({ args: z.looseObject({ ansible_playbook: texts.optional() }).optional() })
        .optional(),
    })
    .optional(),
  provisioner: z
    .looseObject({
      name: z.string().optional(),
      config_options: z.record(z.string(), vars).optional(),
      connection_options: vars.optional(),
      options: vars.optional(),
      env: environment.optional(),
      ansible_args: texts.optional(),
      playbooks: playbooks.optional(),
      inventory: z
        .looseObject({
          hosts: vars.optional(),
          host_vars: varsByName.optional(),
          group_vars: varsByName.optional(),
          links: z.record(z.string(), z.string()).optional(),
        })
        .optional(),
    })
    .optional(),
  scenario: z.looseObject({ name: z.string().optional(), test_sequence: sequence.optional() }).optional(),
  verifier: z
    .looseObject({
      name: z.string().optional(),
      enabled: z.boolean().optional(),
      env: environment.optional(),
    })
    .optional(),
})

/** What a molecule.yml says. */
export type MoleculeFile = z.output<typeof moleculeSchema>
