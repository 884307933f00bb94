import * as z from 'zod'

const dockerSchema = z.strictObject({
  /**
   * Which engine: an address (`unix://…`, `tcp://…`, `ssh://…`) or a context of Docker's; of several each Pi goes to the least
   * busy. `true` is the one that Docker's own programs use.
   */
  docker: z.union([z.literal(true), z.string().min(1), z.array(z.string().min(1)).min(1)]),
  /**
   * The container image that Pis run in: with QEMU from 8.2 on, qemu-img, socat, tar and gzip. @default `frozen`, else one that
   * is built
   */
  image: z.string().min(1).optional(),
  /** A container image with a frozen Pi, as `vitest-raspi freeze --to` makes it: Pis of its image start from there. @default none */
  frozen: z.string().min(1).optional(),
})

/** What `engine` may be: how Pis are run. */
export const engineSchema = z
  .union([z.enum(['process', 'docker']), dockerSchema])
  .transform((engine) => (engine === 'docker' ? dockerSchema.parse({ docker: true }) : engine))

/** How Pis are run: as processes of this host, or in containers. */
export type EngineChoice = z.output<typeof engineSchema>
