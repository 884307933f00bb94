import { createRequire } from 'node:module'
import type Dockerode from 'dockerode'
import { isRaspiError, messageOf, RaspiError } from '../../errors.ts'
import { isAtLeast } from '../../host/programs.ts'
import { SilentEngine, withDeadlines, withSignal } from './calls.ts'
import { dockerOptions, endpointOf } from './endpoint.ts'
import { otherKey } from './known-host.ts'

/** A Docker engine that answers. */
export interface DockerClient {
  docker: Dockerode
  /** What people call it. */
  name: string
  /** That of what runs there, as Go calls it: `arm64`. */
  architecture: string
  cores: number
  /** In bytes. */
  memory: number
  /** What ends all that is asked of it, where something does. */
  signal?: AbortSignal | undefined
}

/** The same engine, of which all that is asked ends with `signal`: not for what has to be removed nevertheless. */
export const until = (signal: AbortSignal, client: DockerClient): DockerClient => ({
  ...{ ...client, signal, docker: withSignal(client.docker, signal) },
})

/** The first with all that is used here; its Docker is 20.10. https://docs.docker.com/reference/api/engine/#api-version-matrix */
const minimumApi = '1.41'

/** How long an engine may take to answer the first time, in ms. */
const answerMs = 15_000

/** What is to run there, for people, and the option that names an engine. */
export interface EnginePurpose {
  who: string
  option: string
}

const pis: EnginePurpose = { who: 'Pis', option: 'engine: { docker: ADDRESS }' }

/**
 * Connects to the engine at `address` (an address or a context of Docker's), by default to that which Docker's own programs
 * take, else to one that Testcontainers finds. Throws a `RaspiError` where Testcontainers is not installed, no engine
 * answers, or it is too old; rejects with the reason of `signal`.
 */
export async function connectDocker(
  address?: string,
  { signal, purpose: { who, option } = pis }: { signal?: AbortSignal; purpose?: EnginePurpose } = {},
): Promise<DockerClient> {
  const testcontainers = await import('testcontainers').catch((error) => {
    throw new RaspiError(
      'host',
      `${who} in containers cannot be had without the package testcontainers, which cannot be loaded.`,
      { hint: 'Install it: npm install --save-dev testcontainers@^12', cause: error },
    )
  })
  const endpoint = endpointOf(address)
  const name = endpoint ? `the Docker engine ${endpoint.name}` : 'the Docker engine of this host'
  try {
    const docker = endpoint
      ? new (dockerode())(dockerOptions(endpoint))
      : (await testcontainers.getContainerRuntimeClient()).container.dockerode
    const first = withDeadlines(signal ? withSignal(docker, signal) : docker, name, answerMs)
    const [version, info] = await Promise.all([first.version(), first.info()])
    if (!isAtLeast(version.ApiVersion, minimumApi)) {
      throw new RaspiError('host', `${who} cannot run on ${name}: it is ${version.Version}, and too old.`, {
        hint: 'Docker 20.10 is the oldest that serves.',
      })
    }
    return {
      ...{ docker: withDeadlines(docker, name), name, architecture: version.Arch },
      ...{ cores: info.NCPU, memory: info.MemTotal },
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (isRaspiError(error) && !(error instanceof SilentEngine)) throw error
    if (otherKey.test(messageOf(error))) {
      throw new RaspiError(
        'host',
        `${who} cannot run on ${name}: its host has another key than is known of it.`,
        {
          hint: 'Whoever answers may be somebody else. If it has a new key, ssh tells what to do.',
          cause: error,
        },
      )
    }
    const bySsh = endpoint?.url.startsWith('ssh://')
      ? ' The log-in by ssh is that of an agent: `ssh-add -l` lists what it has.'
      : ''
    throw new RaspiError(
      'host',
      `${who} cannot run in containers, because ${name} does not answer: ${error instanceof SilentEngine ? error.why : messageOf(error)}`,
      {
        hint: `Start it, or say where there is one: DOCKER_HOST, or ${option}.${bySsh}`,
        cause: error,
      },
    )
  }
}

/** The class that Testcontainers uses: only so can several engines be had at once. */
export function dockerode(): typeof Dockerode {
  return createRequire(createRequire(import.meta.url).resolve('testcontainers'))('dockerode')
}
