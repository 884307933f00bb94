import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** How long after the console has gone, or was not there, it is looked for again, in ms. */
const retryMs = 250

/** Connects to a Pi's console as it is now; gives nothing where there is none. May throw. */
export type ConnectConsole = () => Promise<Duplex | undefined>

/** How many bytes may wait for a side that does not read. */
const mostWaiting = 64 * 1024

/**
 * Joins ipmi_sim's one TCP connection for serial over LAN to a Pi's console, for as long as the BMC lives: the console
 * comes and goes with the Pi's power, and may be another one each time, while ipmi_sim looks for a lost console only
 * every 10 s. What a side does not take in time is lost, as on a real line: a guest never waits for whoever looks on.
 */
export class ConsoleBridge {
  /** On 127.0.0.1, for ipmi_sim. */
  readonly port: number
  readonly #server: Server
  readonly #connect: ConnectConsole
  #sim: Socket | undefined
  #console: Duplex | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  private constructor(server: Server, connect: ConnectConsole) {
    this.#server = server
    this.#connect = connect
    this.port = (server.address() as AddressInfo).port
    server.once('connection', (sim) => this.#join(sim))
  }

  /** Waits for the one connection on a free port of 127.0.0.1; `connect` is asked whenever the console is looked for. */
  static async open(connect: ConnectConsole): Promise<ConsoleBridge> {
    const server = createServer({ noDelay: true })
    // Whoever comes while the first is being served is sent away.
    server.maxConnections = 1
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    server.unref()
    return new ConsoleBridge(server, connect)
  }

  /** Ends both connections. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#server.close()
    this.#sim?.destroy()
    this.#console?.destroy()
  }

  #join(sim: Socket) {
    // Nobody else has any business here from now on.
    this.#server.close()
    this.#sim = sim
    sim.on('error', () => {})
    sim.on('data', (bytes: Buffer) => pass(bytes, this.#console))
    sim.once('close', () => this.close())
    sim.unref()
    void this.#dial()
  }

  async #dial() {
    const console = await this.#connected()
    if (this.#closed) console?.destroy()
    if (!console || this.#closed) return this.#dialLater()
    this.#console = console
    console.on('error', () => {})
    console.on('data', (bytes: Buffer) => pass(bytes, this.#sim))
    console.once('close', () => {
      this.#console = undefined
      this.#dialLater()
    })
    if ('unref' in console) (console as Socket).unref()
  }

  async #connected() {
    try {
      return await this.#connect()
    } catch {
      // Of a Pi that is lost there is none.
      return undefined
    }
  }

  #dialLater() {
    if (!this.#closed) this.#timer = setTimeout(() => void this.#dial(), retryMs).unref()
  }
}

function pass(bytes: Buffer, to: Duplex | undefined): void {
  if (to?.writable && to.writableLength + bytes.length <= mostWaiting) to.write(bytes)
}
