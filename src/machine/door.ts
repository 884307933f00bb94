import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** How long a connection may stay without a greeting before a further one is tried beside it, in ms. */
const patienceMs = 4_000

/** How often a guest may close a connection without a greeting, and how long it is left alone then, in ms. */
const refusalsBorne = 4
const refusalPauseMs = 400

/**
 * A Pi's ssh port on 127.0.0.1, the same through all its reboots, and patient: QEMU's slirp accepts a connection long
 * before the guest can, and then repeats its lost SYN only after 6 s. So the door opens a further connection every
 * few seconds until one greets (`SSH-2.0-…`), drops none before, and joins the caller to that one.
 * While the Pi is off, connections are refused.
 */
export class Door {
  readonly port: number
  readonly #server: Server
  readonly #visits = new Set<Socket>()
  #target: number | undefined

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (visitor) => this.#join(visitor))
  }

  /** Opens a door that leads nowhere yet, on `port` or (0) on a free one. Rejects where that port is taken. */
  static async open(port = 0): Promise<Door> {
    const server = createServer({ noDelay: true, pauseOnConnect: true })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    // The machines keep the process alive where that is wanted; their doors must not.
    server.unref()
    return new Door(server)
  }

  /** Leads the door to `port` of 127.0.0.1 from now on; to nothing without one. Ends the connections it had. */
  leadTo(port: number | undefined): void {
    this.#target = port
    for (const visit of this.#visits) visit.destroy()
  }

  /** Closes the door and every connection through it. */
  close(): void {
    this.leadTo(undefined)
    this.#server.close()
  }

  #join(visitor: Socket) {
    visitor.on('error', () => {})
    const target = this.#target
    if (target === undefined) return visitor.resetAndDestroy()
    this.#visits.add(visitor)
    const tries = new Set<Socket>()
    let greeted = false
    let refusals = 0
    const attempt = () => {
      if (visitor.destroyed || greeted) return
      const inner = connect({ port: target, host: '127.0.0.1', noDelay: true })
      tries.add(inner)
      inner.on('error', () => {})
      inner.once('data', (greeting: Buffer) => {
        if (greeted) return
        greeted = true
        clearInterval(timer)
        for (const other of tries) if (other !== inner) other.destroy()
        visitor.write(greeting)
        visitor.pipe(inner)
        inner.pipe(visitor)
      })
      inner.once('close', () => {
        tries.delete(inner)
        // A guest that is just coming up may refuse; one that goes on refusing has no ssh server.
        if (!greeted && refusals++ < refusalsBorne) setTimeout(attempt, refusalPauseMs)
        else if (tries.size === 0) visitor.destroy()
      })
      visitor.once('close', () => inner.destroy())
    }
    const timer = setInterval(attempt, patienceMs)
    visitor.once('close', () => {
      clearInterval(timer)
      this.#visits.delete(visitor)
    })
    attempt()
  }
}
