import { execa } from 'execa'
import * as z from 'zod'
import { dockerConfigText } from './docker-config.ts'
import { parsedJson } from './json.ts'

/** What lets one in to a container registry: a user and a password, or a token that its token server changes for others. */
export type Login = { username: string; password: string } | { identityToken: string }

/** What Docker Hub goes by in Docker's configuration. */
const dockerHub = 'https://index.docker.io/v1/'

/** How long a credential helper may take, in ms: it may ask a person. */
const helperTimeout = 60_000

const configSchema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        /** `USER:PASSWORD` in Base64. */
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .default({}),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).default({}),
})

const helpersAnswer = z.object({ Username: z.string(), Secret: z.string() })

/**
 * The log-in to `registry` (`HOST` or `HOST:PORT`) that Docker's own programs have: of `$DOCKER_AUTH_CONFIG`, else of
 * config.json, where `docker login` leaves it or names the helper that has it. Nothing where there is none. Rejects where that helper fails.
 * https://docs.docker.com/reference/cli/docker/login/#credential-stores
 */
export async function dockerLogin(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Login | undefined> {
  const text = env.DOCKER_AUTH_CONFIG || dockerConfigText(env)
  const config = configSchema.safeParse(parsedJson(text)).data
  if (!config) return undefined
  const name = registry === 'docker.io' ? dockerHub : registry
  const helper = config.credHelpers[name] ?? config.credsStore
  const helped = helper ? await ofHelper(helper, name, env) : undefined
  if (helped) return helped
  const [, entry] = Object.entries(config.auths).find(([key]) => key === name || hostOf(key) === name) ?? []
  if (entry?.identitytoken) return { identityToken: entry.identitytoken }
  const { username, password, auth } = entry ?? {}
  if (auth) return loginOf(Buffer.from(auth, 'base64').toString())
  return username && password ? { username, password } : undefined
}

/** The user and the password of `USER:PASSWORD`, where a password may have colons; nothing where that is something else. */
export function loginOf(text: string): Login | undefined {
  const [, username, password] = /^([^:]+):(.+)$/s.exec(text) ?? []
  return username && password ? { username, password } : undefined
}

/** Keys of older files are URLs. */
const hostOf = (key: string) => key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')

/** https://github.com/docker/docker-credential-helpers#development */
async function ofHelper(helper: string, name: string, env: NodeJS.ProcessEnv): Promise<Login | undefined> {
  const program = `docker-credential-${helper}`
  const { failed, stdout, stderr, originalMessage } = await execa(program, ['get'], {
    ...{ input: name, env, extendEnv: false, reject: false, timeout: helperTimeout },
  })
  if (failed) {
    const said = stdout || stderr || originalMessage || ''
    if (said.includes('credentials not found')) return undefined
    throw new Error(`${program}, which Docker's configuration names for ${name}, fails: ${said.trim()}`)
  }
  const answer = helpersAnswer.safeParse(parsedJson(stdout)).data
  if (!answer) throw new Error(`${program}, which Docker's configuration names for ${name}, gives no log-in`)
  const { Username: username, Secret: secret } = answer
  return username === '<token>' ? { identityToken: secret } : { username, password: secret }
}
