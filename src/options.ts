import * as z from 'zod'
import { ansibleSchema } from './ansible-option.ts'
import { boardSchema } from './board-option.ts'
import { engineSchema } from './engine-option.ts'
import { RaspiError } from './errors.ts'
import { expandHome } from './host/paths.ts'
import { imageOptionSchema } from './image-option.ts'
import { checkOptions, optionObject } from './option-objects.ts'

/** The engine that the environment names. Throws a `RaspiError` where that is none. */
export function engineOf({ VITEST_RASPI_ENGINE: engine }: NodeJS.ProcessEnv): 'process' | 'docker' {
  // CIs whose jobs differ in a variable leave it empty where it is not meant.
  if (!engine) return 'process'
  if (engine === 'process' || engine === 'docker') return engine
  throw new RaspiError('options', `VITEST_RASPI_ENGINE is "${engine}", which is no engine.`, {
    hint: 'Set it to process or docker, or not at all.',
  })
}

const percentage = z.number().min(0).max(100).optional()

/** What `coverage` may hold. */
const coverageSchema = z.strictObject({
  /** Which files of the project count, as globs. @default all YAML files */
  include: z.array(z.string()).default(['**/*.{yml,yaml}']),
  /** Which of them do not. @default those that only serve tests, and installed collections */
  exclude: z.array(z.string()).default(['**/{molecule,test,tests,venv}/**', '**/ansible_collections/**']),
  /** The least percentages that do not fail the run. @default none */
  thresholds: z
    .strictObject({ tasks: percentage, handlers: percentage, blocks: percentage, conditions: percentage })
    .default({}),
})

/** Which playbooks are to be covered, and how much. */
export type CoverageOptions = z.output<typeof coverageSchema>

/** Every option of the plugin, once: the type is its input, the defaults are its output's. */
export const optionsSchema = optionObject({
  /** The image that Pis boot: a name, a URL, a path, or an object with more about it. @default 'debian-12-arm64' */
  image: imageOptionSchema.default('debian-12-arm64'),
  /** The board QEMU emulates: `'raspi3b'`, `'raspi3ap'`, `'virt'`, or `virt` with its sizes. @default 'raspi3b' */
  board: boardSchema.default('raspi3b'),
  /**
   * What Pis run on: `'process'`, as processes of this host; `'docker'`, in containers of the engine that Docker's own programs
   * use; or an object that names engines. @default `$VITEST_RASPI_ENGINE`, else `'process'`
   */
  engine: engineSchema.prefault(() => engineOf(process.env)),
  /**
   * Where Ansible runs: `{ container: IMAGE }` is a container of a Docker engine, so that this host needs no Ansible.
   * @default in `$VITEST_RASPI_ANSIBLE_CONTAINER`, else on this host
   */
  ansible: ansibleSchema,
  /** Where images, frozen Pis and keys are kept. @default `$VITEST_RASPI_CACHE`, `$XDG_CACHE_HOME/vitest-raspi` or `~/.cache/vitest-raspi` */
  cacheDir: z.string().min(1).transform(expandHome).optional(),
  /**
   * Where machines share images and frozen Pis, so that one makes them and the others fetch them: a directory, the URL of a
   * server that takes PUT, or a container registry's `oci://REGISTRY/REPOSITORY`. @default `$VITEST_RASPI_SHARE`, or nowhere
   */
  share: z.string().min(1).optional(),
  /** The most Pis that live at the same time. @default what memory and cores bear, at least 1 */
  maxPis: z.int().positive().optional(),
  /** The most Pis that boot or thaw at the same time. @default half the host's cores, at least 2; 1 where there is one core */
  maxStarts: z.int().positive().optional(),
  /** Whether Pis are thawed from a frozen one; else each boots, which takes a minute. @default true */
  freeze: z.boolean().default(true),
  /** How many Pis are kept thawed and paused for the next tests; 0 for none. @default half the host's cores, at least 1 */
  readyPis: z.int().nonnegative().optional(),
  /** How long a Pi may take from its start to its first ssh login, in ms. @default 300_000 */
  bootTimeout: z.int().positive().default(300_000),
  /** How long a playbook may run, in ms. @default 1_200_000 */
  playbookTimeout: z.int().positive().default(1_200_000),
  /**
   * `'mitogen'`: run tasks through Mitogen, unless ansible.cfg names a strategy; `'auto'`: the same where Mitogen is
   * installed and made for this Ansible. @default nothing
   */
  accelerate: z.enum(['mitogen', 'auto']).optional(),
  /** Of which tests the Pis stay up, for up to an hour after the run, which ends with them. @default 'none' */
  keep: z.enum(['none', 'failed', 'all']).default('none'),
  /** Of which tests the console, the journal and more is kept below `.vitest/raspi`. @default 'failed' */
  evidence: z.enum(['failed', 'all']).default('failed'),
  /** Whether to tell which tasks of the project's playbooks and roles ran, and which files and thresholds. @default false */
  coverage: z
    .union([z.boolean(), coverageSchema])
    .transform((wish) => (wish === true ? coverageSchema.parse({}) : wish))
    .default(false),
})

/** What a user may give to `raspi()`. */
export type RaspiOptions = z.input<typeof optionsSchema>

/** The options with their defaults. */
export type ResolvedOptions = z.output<typeof optionsSchema>

/** Checks `options` and fills in the defaults. Throws a `RaspiError` that names each wrong option. */
export function resolveOptions(options: RaspiOptions): ResolvedOptions {
  const hint = 'Correct them where raspi({ … }) is called, most often in the configuration of Vitest.'
  return checkOptions('raspi()', optionsSchema, options, hint)
}
