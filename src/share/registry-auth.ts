import { type Dispatcher, request } from 'undici'
import * as z from 'zod'
import type { Login } from '../host/docker-login.ts'
import { parsedJson } from '../host/json.ts'
import { textOf } from './text-of.ts'

/** What lets one in to a registry: a log-in as Docker's programs have it, or a bearer token that is sent as it is. */
export type RegistryLogin = Login | { bearer: string }

/** What one wants to do there. */
export type Access = 'pull' | 'pull,push'

/** What a registry asks for. */
export type Challenge = { scheme: 'basic' } | { scheme: 'bearer'; realm: string; service: string | undefined }

/** The largest answer of a token server that is read, in bytes. */
const largestToken = 1024 * 1024

const tokenSchema = z
  .object({ token: z.string().optional(), access_token: z.string().optional() })
  .transform(({ token, access_token }) => token ?? access_token)

/**
 * What a registry is sent to be let in to one of its repositories: nothing until it asks for something, then a user and a password, or the
 * token that its token server gives for them. https://distribution.github.io/distribution/spec/auth/token/
 */
export class RegistryAuth {
  readonly #repository: string
  readonly #login: () => Promise<RegistryLogin | undefined>
  /** Whether the registry is of this host: to a token server that is, too, passwords may be sent in the clear. */
  readonly #isLocal: boolean
  readonly #client: Dispatcher
  #header: string | undefined
  /** What that is good for. */
  #access: Access = 'pull'

  constructor(options: {
    repository: string
    login: () => Promise<RegistryLogin | undefined>
    isLocal: boolean
    client: Dispatcher
  }) {
    this.#repository = options.repository
    this.#login = options.login
    this.#isLocal = options.isLocal
    this.#client = options.client
  }

  /** What is sent as `Authorization`. */
  header(access: Access): string | undefined {
    return access === 'pull' || this.#access === access ? this.#header : undefined
  }

  /**
   * Gets what the header `WWW-Authenticate` of a refusal asks for, and tells whether there is such. Rejects where the token server
   * does not give it.
   */
  async answer(header: string | string[] | undefined, access: Access, signal: AbortSignal): Promise<boolean> {
    const login = await this.#login()
    const challenge = challengeOf(header)
    // A token that has run out is followed by one that is good for the same.
    const wanted = this.#access === 'pull' ? access : this.#access
    if (login && 'bearer' in login) this.#take(`Bearer ${login.bearer}`)
    else if (challenge?.scheme === 'bearer')
      this.#take(`Bearer ${await this.#token(challenge, login, wanted, signal)}`, wanted)
    else if (challenge && login && 'username' in login) this.#take(basic(login))
    else return false
    return true
  }

  #take(header: string, access: Access = 'pull,push'): void {
    this.#header = header
    this.#access = access
  }

  /** A token of the token server that the registry has named. Without a log-in it may give one for what everybody may do. */
  async #token(
    { realm, service }: Extract<Challenge, { scheme: 'bearer' }>,
    login: Login | undefined,
    access: Access,
    signal: AbortSignal,
  ): Promise<string> {
    if (!URL.canParse(realm)) throw new Error(`its token server ${realm} has no address`)
    const url = new URL(realm)
    if (url.protocol !== 'https:' && !(this.#isLocal && isLocalHost(url.host)))
      throw new Error(`its token server ${url.host} would have the password in the clear`)
    const wanted = { ...(service && { service }), scope: `repository:${this.#repository}:${access}` }
    const options = { dispatcher: this.#client, signal, headers: { 'user-agent': 'vitest-raspi' } }
    const answer =
      login && 'identityToken' in login
        ? await request(url, { ...options, ...refresh(login.identityToken, wanted) })
        : await request(withQuery(url, wanted), {
            ...options,
            headers: { ...options.headers, ...(login && { authorization: basic(login) }) },
          })
    const text = await textOf(answer.body, largestToken)
    const token = tokenSchema.safeParse(parsedJson(text)).data
    if (answer.statusCode === 200 && token) return token
    throw new Error(`its token server ${url.host} gives no token (${answer.statusCode})`)
  }
}

/** Whether `host`, with a port or without, is this one by its name or address. */
export function isLocalHost(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host)
}

/** What a header `WWW-Authenticate` asks for, of several ways a bearer token; nothing where it knows no way of ours. */
export function challengeOf(header: string | string[] | undefined): Challenge | undefined {
  const text = [header ?? []].flat().join(', ')
  const bearer = /(?:^|,)\s*bearer\s+(.*)/is.exec(text)?.[1]
  if (bearer === undefined) return /(?:^|,)\s*basic\b/i.test(text) ? { scheme: 'basic' } : undefined
  const parameter = (name: string) =>
    new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(bearer)?.[1] ??
    new RegExp(`\\b${name}=([^\\s,"]+)`, 'i').exec(bearer)?.[1]
  const realm = parameter('realm')
  return realm === undefined ? undefined : { scheme: 'bearer', realm, service: parameter('service') }
}

const basic = ({ username, password }: Extract<Login, { username: string }>) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

function withQuery(url: URL, query: Record<string, string>): URL {
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}

/** https://distribution.github.io/distribution/spec/auth/oauth/ */
function refresh(identityToken: string, wanted: Record<string, string>) {
  const form = { grant_type: 'refresh_token', client_id: 'vitest-raspi', refresh_token: identityToken }
  return {
    method: 'POST' as const,
    headers: { 'user-agent': 'vitest-raspi', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...form, ...wanted }).toString(),
  }
}
