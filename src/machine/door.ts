import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type Dial, Greetings } from './greetings.ts'

/**
 * A Pi's ssh port on 127.0.0.1, the same through all its reboots, and patient: it joins a caller to a connection that the
 * guest has greeted (`SSH-2.0-…`), however long that takes.
 * While the Pi reboots, callers wait; while it is off, they are told so in the words of ssh.
 */
export class Door {
  readonly port: number
  readonly #server: Server
  readonly #refusalsMs: number
  /** Who is at the guest's door or behind it, with what ends that: it tells whether the guest has let him in. */
  readonly #visits = new Map<Socket, () => boolean>()
  /** Who waits, with what they have said so far: only who is read from is seen to leave. */
  readonly #waiting = new Map<Socket, Buffer[]>()
  #leads: Greetings | string | undefined

  private constructor(server: Server, refusalsMs: number) {
    this.#server = server
    this.#refusalsMs = refusalsMs
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (visitor) => {
      visitor.on('error', () => {})
      this.#admit(visitor)
    })
  }

  /**
   * Opens a door that leads nowhere yet, on `port` or (0) on a free one: callers wait. A guest may close connections
   * without a greeting until its ssh server is up; from then on for `refusalsMs`: one that shuts down has none any more,
   * and takes its time until it is off. Rejects where the port is taken.
   */
  static async open({ port = 0, refusalsMs = 15_000 } = {}): Promise<Door> {
    const server = createServer({ noDelay: true, pauseOnConnect: true })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    // The machines keep the process alive where that is wanted; their doors must not.
    server.unref()
    return new Door(server, refusalsMs)
  }

  /**
   * Leads the door to where `dial` connects to from now on. Without one callers wait until it leads somewhere again. Ends
   * the connections it had; who has not been greeted yet stays.
   */
  leadTo(dial: Dial | undefined): void {
    this.#change(dial && new Greetings(dial, this.#refusalsMs))
  }

  /** Sends callers away from now on, with the sentence `why`, also who has not been greeted yet. Ends the other connections. */
  refuse(why: string): void {
    this.#change(why)
  }

  /** Closes the door and every connection through it. */
  close(): void {
    for (const visitor of [...this.#visits.keys(), ...this.#waiting.keys()]) visitor.destroy()
    this.#leads = 'The run has ended.'
    this.#server.close()
  }

  #change(leads: Greetings | string | undefined) {
    this.#leads = leads
    for (const [visitor, leave] of this.#visits) {
      if (leave()) visitor.destroy()
      else this.#admit(visitor)
    }
    if (leads === undefined) return
    for (const [visitor, said] of this.#waiting) {
      this.#waiting.delete(visitor)
      visitor.removeAllListeners('data').pause()
      visitor.unshift(Buffer.concat(said))
      this.#admit(visitor)
    }
  }

  #admit(visitor: Socket) {
    if (typeof this.#leads === 'string') return sendAway(visitor, this.#leads)
    if (this.#leads !== undefined) return this.#join(visitor, this.#leads)
    const said: Buffer[] = []
    this.#waiting.set(visitor, said)
    visitor.on('data', (chunk: Buffer) => said.push(chunk)).resume()
    visitor.once('close', () => this.#waiting.delete(visitor))
  }

  #join(visitor: Socket, greetings: Greetings) {
    let isJoined = false
    const giveUp = greetings.wait((greeted) => {
      if (!greeted) return visitor.destroy()
      const { connection, greeting } = greeted
      isJoined = true
      visitor.once('close', () => connection.destroy())
      connection.once('close', () => visitor.destroy())
      visitor.write(greeting)
      visitor.pipe(connection)
      connection.pipe(visitor)
    })
    const leave = () => {
      this.#visits.delete(visitor)
      giveUp()
      return isJoined
    }
    this.#visits.set(visitor, leave)
    visitor.once('close', leave)
  }
}

/** How long somebody who is sent away may take to go, in ms. */
const leaveMs = 5_000

/** The greeting of a door that leads nowhere. */
const greeting = 'SSH-2.0-vitest-raspi\r\n'

/**
 * Greets as an ssh server and disconnects with the reason `why`, which every client of ssh shows to its user. The reason
 * code 11 is SSH_DISCONNECT_BY_APPLICATION: https://www.rfc-editor.org/rfc/rfc4253#section-11.1
 */
function sendAway(visitor: Socket, why: string): void {
  const reason = Buffer.from(why)
  const payload = Buffer.concat([Buffer.from([1]), word(11), word(reason.length), reason, word(0)])
  // At least four bytes of padding, to a multiple of eight in all: https://www.rfc-editor.org/rfc/rfc4253#section-6
  const padding = 4 + ((8 - ((5 + payload.length + 4) % 8)) % 8)
  const head = Buffer.concat([word(1 + payload.length + padding), Buffer.from([padding])])
  visitor.end(Buffer.concat([Buffer.from(greeting), head, payload, Buffer.alloc(padding)]))
  // What the visitor says is read, because closing on it would take our words back.
  visitor.resume()
  const timer = setTimeout(() => visitor.destroy(), leaveMs)
  visitor.once('close', () => clearTimeout(timer))
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
