import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { DockerOptions } from 'dockerode'
import * as z from 'zod'
import { RaspiError } from '../../errors.ts'
import { dockerConfigDir, dockerConfigText } from '../../host/docker-config.ts'
import { parsedJson } from '../../host/json.ts'
import { knownHost } from './known-host.ts'
import { type SshTarget, sshTarget } from './ssh-config.ts'

/** Where a Docker engine listens. */
export interface Endpoint {
  /** `unix:///run/docker.sock`, `tcp://HOST:PORT` or `ssh://USER@HOST`. */
  url: string
  /** A directory with ca.pem, cert.pem and key.pem, where it is reached by TLS. */
  certificates?: string | undefined
  /** What people are told: the context's name, or the address. */
  name: string
}

const contextSchema = z.object({
  Endpoints: z.object({ docker: z.object({ Host: z.string().min(1) }) }),
})
const configSchema = z.object({ currentContext: z.string().optional() })

/**
 * What `address` names: an address, a context of Docker's, or, where it is absent, what Docker's own programs would take:
 * `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context; else nothing. The context `default` is what `DOCKER_HOST` names, or
 * nothing. Throws a `RaspiError` where there is no such context.
 * https://docs.docker.com/engine/manage-resources/contexts/
 */
export function endpointOf(
  address: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Endpoint | undefined {
  if (address?.includes('://')) return ofUrl(address, env)
  const named =
    address ?? (env.DOCKER_HOST ? 'default' : env.DOCKER_CONTEXT || currentContext(env) || 'default')
  if (named !== 'default') return ofContext(named, env)
  return env.DOCKER_HOST ? ofUrl(env.DOCKER_HOST, env) : undefined
}

function ofUrl(url: string, env: NodeJS.ProcessEnv): Endpoint {
  const byTls = url.startsWith('tcp:') && env.DOCKER_TLS_VERIFY
  return { url, name: url, ...(byTls && { certificates: env.DOCKER_CERT_PATH || dockerConfigDir(env) }) }
}

function ofContext(name: string, env: NodeJS.ProcessEnv): Endpoint {
  const id = createHash('sha256').update(name).digest('hex')
  const text = dockerConfigText(env, join('contexts', 'meta', id, 'meta.json'))
  const context = contextSchema.safeParse(parsedJson(text)).data
  if (!context) {
    throw new RaspiError('options', `Docker has no context ${name}, and it is no address either.`, {
      hint: '`docker context ls` lists the contexts; an address begins with unix://, tcp:// or ssh://.',
    })
  }
  const certificates = join(dockerConfigDir(env), 'contexts', 'tls', id, 'docker')
  return {
    ...{ url: context.Endpoints.docker.Host, name },
    ...(existsSync(join(certificates, 'cert.pem')) && { certificates }),
  }
}

const currentContext = (env: NodeJS.ProcessEnv) =>
  configSchema.safeParse(parsedJson(dockerConfigText(env))).data?.currentContext

/** How a host that has vanished is noticed, of ssh2: without it, whoever waits for it waits for ever. */
const aliveness = { keepaliveInterval: 10_000, keepaliveCountMax: 3 }

/**
 * How Dockerode reaches `endpoint`. Throws a `RaspiError` where its address is none, or a host is not known to ssh. What is left out Dockerode would take from
 * `DOCKER_HOST`, which may name another engine.
 */
export function dockerOptions({ url, certificates }: Endpoint, env = process.env): DockerOptions {
  // What follows is a path as it is, as Docker has it: nothing in it is encoded.
  if (url.startsWith('unix://'))
    return { socketPath: url.slice('unix://'.length), host: undefined, port: undefined, protocol: 'http' }
  const { protocol, hostname, port, username } = parsed(url)
  const read = (file: string) => readFileSync(join(certificates ?? '', file))
  switch (protocol) {
    case 'ssh:':
      return bySsh({ host: hostname, port: Number(port) || undefined, user: decoded(username, url) }, env)
    case 'tcp:':
    case 'http:':
    case 'https:':
      return {
        ...{ host: hostname, port: Number(port) || (certificates ? 2376 : 2375) },
        ...(certificates
          ? { protocol: 'https', ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }
          : { protocol: protocol === 'https:' ? 'https' : 'http' }),
      }
    default:
      throw noAddress(url)
  }
}

function bySsh(named: SshTarget, env: NodeJS.ProcessEnv): DockerOptions {
  const asked = { ...named, host: named.host.replace(/^\[(.*)\]$/, '$1') }
  const { host, port = 22, user } = sshTarget(asked)
  const logIn = ['ssh', ...(asked.port ? ['-p', asked.port] : []), asked.host].join(' ')
  return {
    ...{ protocol: 'ssh', host, port, username: user || userInfo().username },
    sshOptions: {
      ...aliveness,
      ...knownHost(host, port, { logIn }),
      ...(env.SSH_AUTH_SOCK && { agent: env.SSH_AUTH_SOCK }),
    },
  }
}

function parsed(url: string): URL {
  try {
    return new URL(url)
  } catch {
    throw noAddress(url)
  }
}

function decoded(username: string, url: string): string {
  try {
    return decodeURIComponent(username)
  } catch {
    throw noAddress(url, 'A % in the name of its user is written %25.')
  }
}

const noAddress = (url: string, hint = 'It begins with unix://, tcp:// or ssh://.') =>
  new RaspiError('options', `${url} is no address of a Docker engine.`, { hint })
