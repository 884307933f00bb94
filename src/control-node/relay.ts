import { connect, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { ContainerProcess } from '../engine/docker/exec.ts'
import { RaspiError } from '../errors.ts'
import { Frames } from './frames.ts'
import { kinds } from './kinds.ts'

/** Makes ports of 127.0.0.1 of this host, and no others, ports of 127.0.0.1 in a container. */
export class Relay {
  readonly #frames: Frames
  readonly #ports = new Map<number, PromiseWithResolvers<void>>()

  readonly #dial: (port: number) => Socket
  #ended = false

  /** By `remote`, which is remote.py in that container; `dial` connects to a port here. */
  constructor(remote: Pick<ContainerProcess, 'stdin' | 'stdout' | 'stderr'>, dial = dialHere) {
    this.#dial = dial
    remote.stderr.resume()
    this.#frames = new Frames(
      remote.stdout,
      remote.stdin,
      ({ kind, channel, payload }) => {
        if (kind === kinds.open) this.#connect(channel, payload.readUInt32BE(0))
        else if (kind === kinds.listen) this.#answer(channel, payload.toString())
      },
      () => this.#end(),
    )
  }

  /** Lets connections to `port` there lead here. Throws a `RaspiError` where somebody listens on it there. */
  listen(port: number): Promise<void> {
    if (this.#ended) return Promise.reject(gone())
    const known = this.#ports.get(port)
    if (known) return known.promise
    const asked = Promise.withResolvers<void>()
    asked.promise.catch(() => {})
    this.#ports.set(port, asked)
    this.#frames.send(kinds.listen, port)
    return asked.promise
  }

  #answer(port: number, why: string): void {
    const asked = this.#ports.get(port)
    if (why === '') {
      asked?.resolve()
      return
    }
    this.#ports.delete(port)
    asked?.reject(
      new RaspiError('ansible', `A Pi's port ${port} cannot be had in Ansible's container: ${why}`),
    )
  }

  #connect(channel: number, port: number): void {
    const there = this.#frames.channel(channel)
    if (!this.#ports.has(port)) return void there.destroy()
    const here = this.#dial(port)
    // The end of one direction passes through, and so does a break: before the pipelines make an end of it.
    there.once('error', () => here.resetAndDestroy())
    here.once('error', () => there.destroy())
    pipeline(there, here, () => {})
    pipeline(here, there, () => {})
  }

  #end(): void {
    this.#ended = true
    for (const { reject } of this.#ports.values()) reject(gone())
  }
}

const gone = () => new RaspiError('ansible', 'The container that Ansible runs in is gone.')

const dialHere = (port: number): Socket =>
  connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
