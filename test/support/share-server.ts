import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A server on a free port of 127.0.0.1 that keeps what it is given by PUT. It ends with `await using`. */
export class ShareServer implements AsyncDisposable {
  readonly files = new Map<string, Buffer>()
  readonly requests: { method: string; path: string; authorization: string | undefined }[] = []
  /** What it answers instead, to requests of this method: a status, or nothing at all for a while. */
  fault: { method: string; status?: number; silentMs?: number } | undefined
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<ShareServer> {
    const server = createServer()
    const share = new ShareServer(server)
    server.on(
      'request',
      (request, response) => void share.#answer(request, response).catch(() => response.destroy()),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return share
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How many requests of a method there were. */
  count(method: string): number {
    return this.requests.filter((request) => request.method === method).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse) {
    const { method = '', url: path = '/', headers } = request
    this.requests.push({ method, path, authorization: headers.authorization })
    if (this.fault?.method === method) {
      await delay(this.fault.silentMs ?? 0, undefined, { ref: false })
      request.resume()
      return void response.writeHead(this.fault.status ?? 500).end()
    }
    if (method === 'PUT') {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      if (body.length !== Number(headers['content-length'])) return void response.writeHead(411).end()
      this.files.set(path, body)
      return void response.writeHead(201).end()
    }
    const body = this.files.get(path)
    if (!body) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-length': body.length }).end(method === 'HEAD' ? undefined : body)
  }
}
