import { parse } from 'yaml'
import * as z from 'zod'

const words = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const list = z.union([z.string().transform((one) => [one]), z.array(z.string())])

const workflowSchema = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.enum(['read', 'write', 'none'])),
  concurrency: z.string().optional(),
  jobs: z.record(
    z.string(),
    z.strictObject({
      needs: list.default([]),
      if: z.string().optional(),
      'runs-on': z.union([z.string(), z.array(z.string())]),
      'timeout-minutes': z.int(),
      strategy: z
        .strictObject({ 'fail-fast': z.boolean(), matrix: z.record(z.string(), z.array(z.unknown())) })
        .optional(),
      env: z.record(z.string(), words).default({}),
      outputs: z.record(z.string(), z.string()).optional(),
      steps: z.array(
        z
          .strictObject({
            name: z.string().optional(),
            id: z.string().optional(),
            if: z.string().optional(),
            uses: z
              .string()
              .regex(/^[\w-]+\/[\w/-]+@v\d+$/)
              .optional(),
            with: z.record(z.string(), z.unknown()).optional(),
            run: z.string().optional(),
          })
          .refine(({ uses, run }) => (uses === undefined) !== (run === undefined), 'either uses or run'),
      ),
    }),
  ),
})

/** A workflow of GitHub Actions, as far as the examples use what there is. Throws where it is none. */
export function githubSteps(text: string) {
  const { permissions, jobs } = workflowSchema.parse(parse(text))
  return {
    permissions,
    jobs: Object.entries(jobs).map(([name, job]) => ({
      ...{ name, needs: job.needs, steps: job.steps, env: job.env, timeout: job['timeout-minutes'] },
      matrix: job.strategy?.matrix,
    })),
  }
}

const jobSchema = z.strictObject({
  extends: z.string().optional(),
  stage: z.string().optional(),
  parallel: z.int().optional(),
  needs: z.array(z.string()).optional(),
  when: z.string().optional(),
  cache: z.unknown().optional(),
  before_script: z.array(z.string()).optional(),
  script: z.array(z.string()).optional(),
  after_script: z.array(z.string()).optional(),
  artifacts: z
    .strictObject({ when: z.string().optional(), paths: z.array(z.string()), expire_in: z.string() })
    .optional(),
})
const pipelineSchema = z
  .object({
    default: z.strictObject({ image: z.string() }),
    variables: z.record(z.string(), z.string()),
    stages: z.array(z.string()),
  })
  .catchall(jobSchema)

/** A pipeline of GitLab, as far as the example uses what there is: each job with all that it runs. Throws where it is none. */
export function gitlabJobs(text: string) {
  const { default: _, variables, stages, ...entries } = pipelineSchema.parse(parse(text))
  const all = entries as Record<string, z.output<typeof jobSchema>>
  const jobs = Object.entries(all).filter(([name]) => !name.startsWith('.'))
  return {
    ...{ variables, stages },
    jobs: jobs.map(([name, job]) => {
      const base = job.extends === undefined ? {} : all[job.extends]
      if (!base) throw new Error(`${name} extends ${job.extends}, which is not there.`)
      const {
        stage = '',
        parallel = 1,
        before_script = [],
        script = [],
        after_script = [],
      } = { ...base, ...job }
      return { name, stage, parallel, script: [...before_script, ...script, ...after_script] }
    }),
  }
}
