import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What is asked for before anybody is let in. */
export interface Guard {
  /** `USER:PASSWORD` that the token server wants; without it everybody gets a token to pull. */
  login?: string
}

/**
 * A container registry on a free port of 127.0.0.1 that can be made to fail. For what it takes a real one, see
 * test/host/share-oci.test.ts. It ends with `await using`.
 */
export class FakeRegistry implements AsyncDisposable {
  readonly blobs = new Map<string, Buffer>()
  readonly manifests = new Map<string, Buffer>()
  readonly requests: { method: string; path: string; authorization: string | undefined }[] = []
  /** Has it ask for the tokens of its token server. */
  guard: Guard | undefined
  /** What it answers instead, to requests that begin so: `PUT /v2/pis/manifests`. */
  fault: { to: string; status: number; body?: string } | undefined
  readonly #server: Server
  #generation = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<FakeRegistry> {
    const server = createServer()
    const registry = new FakeRegistry(server)
    server.on(
      'request',
      (request, response) => void registry.#answer(request, response).catch(() => response.destroy()),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return registry
  }

  /** `HOST:PORT`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Lets in nobody by a token that was given before. */
  expireTokens(): void {
    this.#generation++
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse) {
    const { method = '', url = '/', headers } = request
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const { pathname, searchParams } = new URL(url, `http://${this.host}`)
    this.requests.push({ method, path: pathname, authorization: headers.authorization })
    if (this.fault && `${method} ${pathname}`.startsWith(this.fault.to))
      return void response.writeHead(this.fault.status).end(this.fault.body)
    if (pathname === '/token') return this.#giveToken(searchParams, headers.authorization, body, response)
    const access = method === 'GET' || method === 'HEAD' ? 'pull' : 'push'
    const [, generation = this.#generation] = / .*\/(\d+)$/.exec(headers.authorization ?? '') ?? []
    const isOld = Number(generation) !== this.#generation
    if (this.guard && (isOld || !headers.authorization?.includes(access))) {
      const challenge = `Bearer realm="http://${this.host}/token",service="a, b",scope="repository:pis:pull"`
      return void response.writeHead(401, { 'www-authenticate': challenge }).end()
    }
    const [, kind = '', name = ''] = /^\/v2\/pis\/(blobs|manifests)\/(.*)$/.exec(pathname) ?? []
    const kept = kind === 'blobs' ? this.blobs : this.manifests
    if (method === 'POST') return void response.writeHead(202, { location: './one?state=x' }).end()
    if (method === 'PUT') {
      const digest = searchParams.get('digest') ?? name
      const isBlob = kind === 'blobs'
      if (isBlob && digest !== `sha256:${createHash('sha256').update(body).digest('hex')}`)
        return void response.writeHead(400).end()
      kept.set(digest, body)
      return void response.writeHead(201).end()
    }
    const found = kept.get(name)
    if (!found) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-length': found.length }).end(method === 'HEAD' ? undefined : found)
  }

  /** A token says what it is good for. */
  #giveToken(
    query: URLSearchParams,
    authorization: string | undefined,
    body: Buffer,
    response: ServerResponse,
  ) {
    const { login } = this.guard ?? {}
    const form = new URLSearchParams(body.toString())
    const basic = login && `Basic ${Buffer.from(login).toString('base64')}`
    const isLoggedIn = authorization === basic || form.get('refresh_token') === login
    const asked = query.get('scope') ?? form.get('scope') ?? ''
    if (login && !isLoggedIn) return void response.writeHead(401).end()
    const scope = login ? asked : asked.replace(',push', '')
    const service = query.get('service') ?? form.get('service')
    response.end(JSON.stringify({ token: `${service}/${scope}/${this.#generation}` }))
  }
}
