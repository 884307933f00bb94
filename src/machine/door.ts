import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * How long the first connection may stay without a greeting before a further one is tried beside it, in ms, and by how
 * much longer each after it. One that has reached the guest costs it an sshd, and seconds of an emulated core: on a busy
 * host a guest that is asked every few seconds never comes to answer anybody.
 */
const patience = { firstMs: 4_000, factor: 1.5, longestMs: 30_000 }

/**
 * How many silent connections are kept; of more the oldest go, which have waited for two minutes then. While a guest boots
 * none of them has reached it, and when it is there at last, each that is left costs it an sshd.
 */
const silentOnes = 8

/** How long a guest that has closed a connection without a greeting is left alone, in ms. */
const refusalPauseMs = 400

/** Connects to a guest's ssh server. The connection is closed where that cannot be. */
export type Dial = () => Duplex

/**
 * A Pi's ssh port on 127.0.0.1, the same through all its reboots, and patient: QEMU's slirp accepts a connection long
 * before the guest can, and then repeats its lost SYN only after 6 s. So the door opens further connections,
 * ever more rarely, until one greets (`SSH-2.0-…`), and joins the caller to that one.
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
  #leads: Dial | string | undefined
  /** Whether the guest has greeted anybody since the door leads to it. */
  #hasGreeted = false

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
    this.#change(dial)
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

  #change(leads: Dial | string | undefined) {
    this.#leads = leads
    this.#hasGreeted = false
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

  #join(visitor: Socket, dial: Dial) {
    const tries = new Set<Duplex>()
    let greeted = false
    let left = false
    let refusedSince: number | undefined
    const drop = (inner: Duplex) => {
      tries.delete(inner)
      inner.destroy()
    }
    const leave = () => {
      left = true
      clearTimeout(timer)
      this.#visits.delete(visitor)
      for (const each of tries) drop(each)
      return greeted
    }
    const attempt = () => {
      if (left || greeted) return
      const [oldest] = tries
      if (oldest && tries.size === silentOnes) drop(oldest)
      const inner = dial()
      tries.add(inner)
      inner.on('error', () => {})
      inner.once('data', (greeting: Buffer) => {
        if (left || greeted) return
        greeted = true
        this.#hasGreeted = true
        clearTimeout(timer)
        for (const other of tries) if (other !== inner) drop(other)
        visitor.write(greeting)
        visitor.pipe(inner)
        inner.pipe(visitor)
      })
      inner.once('close', () => {
        if (!tries.delete(inner)) return
        refusedSince ??= performance.now()
        // A guest that boots refuses until its ssh server is up, however long that takes; one that had a server and goes
        // on refusing has none any more.
        const patient = !this.#hasGreeted || performance.now() - refusedSince < this.#refusalsMs
        if (!greeted && patient) setTimeout(attempt, refusalPauseMs)
        else if (tries.size === 0) visitor.destroy()
      })
    }
    let gapMs = patience.firstMs
    let timer: NodeJS.Timeout
    const askAgainLater = () => {
      // Where somebody was greeted connections arrive, and one that is not greeted yet only waits for its turn.
      timer = setTimeout(
        () => {
          attempt()
          gapMs = Math.min(gapMs * patience.factor, patience.longestMs)
          askAgainLater()
        },
        this.#hasGreeted ? patience.longestMs : gapMs,
      )
    }
    askAgainLater()
    this.#visits.set(visitor, leave)
    visitor.once('close', leave)
    attempt()
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
