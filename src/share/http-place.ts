import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { type Dispatcher, request } from 'undici'
import { httpClient, reasonOf } from '../image/http.ts'
import { FilePlace } from './file-place.ts'

/** A share on an HTTP server that knows GET, HEAD and PUT: WebDAV, object stores behind a gateway, a package registry's raw files. */
export class HttpPlace extends FilePlace {
  readonly shown: string
  readonly #base: string
  readonly #headers: Record<string, string>
  readonly #client: Dispatcher = httpClient()

  /** `url` may have a user and a password; a `token` is sent as a bearer's. */
  constructor(url: string, token?: string | undefined) {
    super()
    const { username, password, ...at } = parts(url)
    this.#base = at.base
    this.shown = at.base
    const user = Buffer.from(`${username}:${password}`).toString('base64')
    const authorization = token ? `Bearer ${token}` : username ? `Basic ${user}` : undefined
    this.#headers = { 'user-agent': 'vitest-raspi', ...(authorization ? { authorization } : {}) }
  }

  protected async get(name: string, signal: AbortSignal): Promise<Readable | undefined> {
    const { statusCode, body } = await this.#ask('GET', name, signal)
    if (statusCode === 200) return body
    body.on('error', () => {}).destroy()
    return absent('GET', statusCode)
  }

  protected async has(name: string, signal: AbortSignal): Promise<boolean> {
    const { statusCode, body } = await this.#ask('HEAD', name, signal)
    await body.dump()
    return statusCode === 200 || statusCode === 204 || absent('HEAD', statusCode) !== undefined
  }

  protected async put(name: string, file: string, signal: AbortSignal): Promise<void> {
    // Some servers take nothing of unknown length.
    const length = { 'content-length': String((await stat(file)).size) }
    const { statusCode, body } = await this.#ask('PUT', name, signal, createReadStream(file), length)
    await body.dump()
    if (statusCode >= 300) throw new Error(`the server answers ${statusCode} to a PUT`)
  }

  async close(): Promise<void> {
    await this.#client.destroy().catch(() => {})
  }

  async #ask(
    method: 'GET' | 'HEAD' | 'PUT',
    name: string,
    signal: AbortSignal,
    body?: Readable,
    headers: Record<string, string> = {},
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request(`${this.#base}/${name}`, {
        ...{ method, signal, dispatcher: this.#client, headers: { ...this.#headers, ...headers } },
        ...(body ? { body } : {}),
      })
    } catch (error) {
      signal.throwIfAborted()
      throw new Error(reasonOf(error), { cause: error })
    }
  }
}

/** Nothing of an answer that says that there is nothing; throws of any other. */
function absent(method: string, statusCode: number): undefined {
  if (statusCode === 404 || statusCode === 410) return undefined
  throw new Error(`the server answers ${statusCode} to a ${method}`)
}

function parts(text: string): { base: string; username: string; password: string } {
  const url = new URL(text)
  const [username, password] = [url.username, url.password].map(decodeURIComponent)
  Object.assign(url, { username: '', password: '' })
  return { base: url.href.replace(/\/+$/, ''), username: username ?? '', password: password ?? '' }
}
