import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** How an answer goes wrong. */
export type Fault =
  | { dropAt: number }
  | { status: number; headers?: Record<string, string> }
  | { trickle: true }
  | { redirect: string }
  /** Something happens to the server before it answers. */
  | { before: () => void }

export interface ServedFile {
  body: Buffer
  etag?: string | undefined
  lastModified?: string
  /** Whether the length is told. @default true */
  length?: boolean
}

/** A server of images on a free port of 127.0.0.1 that does what a test wants. It ends with `using`. */
export class ImageServer implements AsyncDisposable {
  readonly files = new Map<string, ServedFile>()
  /** Files of the disk, which are sent as they are. */
  readonly disk = new Map<string, string>()
  /** What happens to the next requests for each path; nothing, once they are used up. */
  readonly faults = new Map<string, Fault[]>()
  readonly requests: { path: string; range: string | undefined }[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<ImageServer> {
    const server = createServer()
    const images = new ImageServer(server)
    server.on(
      'request',
      (request, response) => void images.#answer(request, response).catch(() => response.destroy()),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return images
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Serves `body` at `path`, with its checksum beside it unless told otherwise. Gives its URL. */
  put(
    path: string,
    body: Buffer | string,
    { checksum = sha256(body), ...more }: Partial<ServedFile> & { checksum?: string | false } = {},
  ): string {
    this.files.set(path, { body: Buffer.from(body), ...more })
    if (checksum !== false)
      this.files.set(`${path}.sha256`, { body: Buffer.from(`${checksum}  ${path.split('/').at(-1)}\n`) })
    return `${this.url}${path}`
  }

  /** How often `path` was asked for. */
  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse) {
    const path = request.url ?? '/'
    this.requests.push({ path, range: request.headers.range })
    const fault = this.faults.get(path)?.shift()
    if (fault && 'before' in fault) fault.before()
    if (fault && 'status' in fault) return void response.writeHead(fault.status, fault.headers).end()
    if (fault && 'redirect' in fault) return void response.writeHead(302, { location: fault.redirect }).end()
    const onDisk = this.disk.get(path)
    if (onDisk) {
      response.writeHead(200, { 'content-length': statSync(onDisk).size })
      return void createReadStream(onDisk).pipe(response)
    }
    const file = this.files.get(path)
    if (!file) return void response.writeHead(404).end()

    const { body, etag, lastModified, length = true } = file
    const condition = request.headers['if-range']
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const partial = start > 0 && (condition === undefined || condition === etag || condition === lastModified)
    const named = { ...(etag && { etag }), ...(lastModified && { 'last-modified': lastModified }) }
    if (partial && start >= body.length)
      return void response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end()
    const rest = partial ? body.subarray(start) : body
    response.writeHead(partial ? 206 : 200, {
      ...named,
      ...(length && { 'content-length': rest.length }),
      ...(partial && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
    })
    if (fault && 'dropAt' in fault) {
      response.write(
        rest.subarray(0, Math.max(1, Math.floor(body.length * fault.dropAt) - (partial ? start : 0))),
      )
      // What was written is on its way first.
      await delay(30)
      return void response.destroy()
    }
    if (fault && 'trickle' in fault) {
      for (let at = 0; at < rest.length && !response.destroyed; at++) {
        response.write(rest.subarray(at, at + 1))
        await delay(20)
      }
      return
    }
    response.end(rest)
  }
}

export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex')
}
