import * as z from 'zod'

const containerSchema = z.strictObject({
  /**
   * The container image that all of Ansible's programs run in: with ansible-core, Python 3 and OpenSSH's client. `true` is one
   * that is built.
   */
  container: z.union([z.literal(true), z.string().min(1)]),
  /** Whose container it is: the address of a Docker engine, or a context of Docker's. @default what Docker's own programs use */
  docker: z.string().min(1).optional(),
  /**
   * Further files and directories that Ansible reads there as here, besides the repository of the project: the file of a
   * vault's password, roles. Relative to the project. @default none
   */
  paths: z.array(z.string().min(1)).default([]),
})

/** What `ansible` may be: where Ansible runs, where that is not this host. */
export const ansibleSchema = containerSchema.optional().prefault(fromEnvironment)

/** Where Ansible runs, where that is not this host. */
export type AnsibleContainer = z.output<typeof containerSchema>

/** The variable that names the image for a run. */
export const ansibleVariable = 'VITEST_RASPI_ANSIBLE_CONTAINER'

function fromEnvironment(): z.input<typeof containerSchema> | undefined {
  const image = process.env[ansibleVariable]
  return image ? { container: image === 'true' || image === '1' ? true : image } : undefined
}
