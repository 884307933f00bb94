import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { type Dispatcher, request } from 'undici'
import * as z from 'zod'
import { parsedJson } from '../host/json.ts'
import { httpClient, reasonOf } from '../image/http.ts'
import { type Access, isLocalHost, RegistryAuth, type RegistryLogin } from './registry-auth.ts'
import { textOf } from './text-of.ts'

/** What a registry has under a digest. */
export interface BlobDescriptor {
  /** `sha256:` and 64 hexadecimal digits. */
  digest: string
  /** In bytes. */
  size: number
}

/** Which repository of which registry. */
export interface RepositoryPlace {
  /** `HOST` or `HOST:PORT`; by https, but of this host by http. */
  registry: string
  repository: string
}

interface Question {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  signal: AbortSignal
  headers?: Record<string, string>
  /** Anew for each try. */
  body?: () => Readable | string
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json'

/** The largest manifest that a registry need take, in bytes. */
const largestManifest = 4 * 1024 * 1024

const errorsSchema = z.object({ errors: z.array(z.object({ message: z.string().min(1) })).min(1) })

/** Docker Hub's API is not where its name says. */
const apiHosts: Record<string, string> = { 'docker.io': 'registry-1.docker.io' }

/**
 * A repository of a container registry: blobs by their digest, manifests by a tag. All rejects with a sentence where the registry
 * refuses or does not answer. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export class Registry {
  readonly #registry: string
  readonly #base: URL
  readonly #client: Dispatcher = httpClient()
  readonly #auth: RegistryAuth

  constructor({ registry, repository }: RepositoryPlace, login: () => Promise<RegistryLogin | undefined>) {
    const isLocal = isLocalHost(registry)
    this.#registry = registry
    const scheme = isLocal ? 'http' : 'https'
    this.#base = new URL(`${scheme}://${apiHosts[registry] ?? registry}/v2/${repository}/`)
    this.#auth = new RegistryAuth({ repository, login, isLocal, client: this.#client })
  }

  async hasBlob(digest: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#find(`blobs/${digest}`, { method: 'HEAD', signal })) !== undefined
  }

  /** A blob's bytes; nothing where there is none. */
  getBlob(digest: string, signal: AbortSignal): Promise<Readable | undefined> {
    return this.#find(`blobs/${digest}`, { method: 'GET', signal })
  }

  /** Keeps a file as a blob, unless that is there already. */
  async putBlob({ digest, size }: BlobDescriptor, file: string, signal: AbortSignal): Promise<void> {
    if (await this.hasBlob(digest, signal)) return
    const uploads = new URL('blobs/uploads/', this.#base)
    const begun = await this.#ask(uploads, { method: 'POST', signal })
    const location = begun.headers.location
    await this.#done('POST', begun)
    if (typeof location !== 'string') throw new Error('the registry does not say where it takes uploads')
    const url = new URL(location, uploads)
    url.searchParams.set('digest', digest)
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) }
    const body = () => createReadStream(file, { highWaterMark: 2 ** 20 })
    await this.#done('PUT', await this.#ask(url, { method: 'PUT', signal, headers, body }))
  }

  async hasManifest(tag: string, signal: AbortSignal): Promise<boolean> {
    const headers = { accept: manifestType }
    return (await this.#find(`manifests/${tag}`, { method: 'HEAD', signal, headers })) !== undefined
  }

  /** The manifest that `tag` names; nothing where there is none. */
  async getManifest(tag: string, signal: AbortSignal): Promise<unknown> {
    const headers = { accept: manifestType }
    const body = await this.#find(`manifests/${tag}`, { method: 'GET', signal, headers })
    return body && parsedJson(await textOf(body, largestManifest))
  }

  /** Has `tag` name a manifest. What it refers to is there. */
  async putManifest(tag: string, manifest: object, signal: AbortSignal): Promise<void> {
    const url = new URL(`manifests/${tag}`, this.#base)
    const body = () => JSON.stringify({ schemaVersion: 2, mediaType: manifestType, ...manifest })
    const headers = { 'content-type': manifestType }
    await this.#done('PUT', await this.#ask(url, { method: 'PUT', signal, headers, body }))
  }

  async close(): Promise<void> {
    await this.#client.destroy().catch(() => {})
  }

  async #find(path: string, question: Question): Promise<Readable | undefined> {
    const response = await this.#ask(new URL(path, this.#base), question)
    if (response.statusCode === 200) {
      if (question.method === 'HEAD') await response.body.dump()
      return response.body
    }
    if (response.statusCode !== 404) return this.#refused(question.method, response)
    await response.body.dump()
    return undefined
  }

  async #done(method: string, response: Dispatcher.ResponseData): Promise<void> {
    if (response.statusCode >= 300) return this.#refused(method, response)
    await response.body.dump()
  }

  /** Asks, and once more with what is asked for in return. */
  async #ask(url: URL, question: Question): Promise<Dispatcher.ResponseData> {
    const access = question.method === 'GET' || question.method === 'HEAD' ? 'pull' : 'pull,push'
    try {
      const response = await this.#request(url, question, access)
      if (response.statusCode !== 401 || url.origin !== this.#base.origin) return response
      const asked = response.headers['www-authenticate']
      if (!(await this.#auth.answer(asked, access, question.signal))) return response
      await response.body.dump()
      return await this.#request(url, question, access)
    } catch (error) {
      question.signal.throwIfAborted()
      throw new Error(reasonOf(error), { cause: error })
    }
  }

  #request(url: URL, { method, signal, headers, body }: Question, access: Access) {
    // Some registries have uploads sent elsewhere, where nobody needs to know who we are.
    const authorization = url.origin === this.#base.origin ? this.#auth.header(access) : undefined
    return request(url, {
      ...{ method, signal, dispatcher: this.#client },
      headers: { 'user-agent': 'vitest-raspi', ...(authorization && { authorization }), ...headers },
      ...(body && { body: body() }),
    })
  }

  async #refused(method: string, { statusCode, body }: Dispatcher.ResponseData): Promise<never> {
    const text = await textOf(body, largestManifest).catch(() => '')
    const [said] = errorsSchema.safeParse(parsedJson(text)).data?.errors ?? []
    const logIn = `; log in by \`docker login ${this.#registry}\`, or set VITEST_RASPI_SHARE_TOKEN`
    throw new Error(
      `the registry answers ${statusCode} to a ${method}${said ? `: ${said.message}` : ''}${statusCode === 401 ? logIn : ''}`,
    )
  }
}
