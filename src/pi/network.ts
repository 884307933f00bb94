import { resolve } from 'node:path'
import type { SegmentRequest, SegmentRequests } from '../network/calls.ts'
import type { CaptureOptions, CaptureResult } from '../network/capture.ts'
import type { FaultInput, FaultName } from '../network/fault-options.ts'
import type { Frame, FrameFilter } from '../network/frames.ts'
import type { PortStatistics } from '../network/statistics.ts'
import { type Fault, FaultsAtWork } from './fault.ts'

/** What goes through a network is written until this is stopped. */
export interface NetworkCapture {
  /** Ends it, and tells what it came to. */
  stop(): Promise<CaptureResult>
  [Symbol.asyncDispose](): Promise<void>
}

/** A network between Pis: what goes through it can be looked at, and broken. Its ports are called as the Pis. */
export class Network {
  readonly name: string
  readonly #ask: (request: SegmentRequest) => Promise<unknown>
  readonly #faults = new FaultsAtWork()
  readonly #captures = new Set<NetworkCapture>()

  /** @internal */
  constructor(name: string, ask: (request: SegmentRequest) => Promise<unknown>) {
    this.name = name
    this.#ask = ask
  }

  /**
   * Divides the Pis into groups that reach only their own kind. Those in no group are one further group. Like every fault
   * it lasts until it is undone or the test ends, and throws a `RaspiError` where it is called wrongly.
   * @example await networks.mgmt.partition([['boreas'], ['eurus', 'notus']])
   */
  partition(groups: FaultInput<'partition'>): Promise<Fault> {
    return this.#break('partition', groups)
  }

  /** Loses `percent` of the frames; with `from` or `to` only on that way. With the same `seed` of the test the same frames are lost. */
  loss(options: FaultInput<'loss'>): Promise<Fault> {
    return this.#break('loss', options)
  }

  /** Sends `percent` of the frames twice. */
  duplicate(options: FaultInput<'duplicate'>): Promise<Fault> {
    return this.#break('duplicate', options)
  }

  /** Lets frames come `ms` later, give or take `jitterMs`. Those from one Pi to another stay in their order. */
  delay(options: FaultInput<'delay'>): Promise<Fault> {
    return this.#break('delay', options)
  }

  /** Lets the link of a Pi, or that of each, carry no more than `bytesPerSecond` each way. */
  rate(options: FaultInput<'rate'>): Promise<Fault> {
    return this.#break('rate', options)
  }

  /** Lets the link of a Pi carry nothing. Its system is not told: to it the link is up. */
  unplug(pi: string): Promise<Fault> {
    return this.#break('unplug', pi)
  }

  /** Mends all that is broken. */
  clear(): Promise<void> {
    return this.#faults.clear()
  }

  /**
   * Writes what goes through the network, or over the link of one Pi (`port`), into a file that Wireshark and tcpdump read.
   * A path is relative to the working directory. Throws a `RaspiError` where the file cannot be written.
   */
  async capture(options: string | CaptureOptions): Promise<NetworkCapture> {
    const { file, ...rest } = typeof options === 'string' ? { file: options } : options
    const number = await this.#request('capture', { file: resolve(file), ...rest })
    const stop = () => this.#request('stopCapture', number)
    const capture: NetworkCapture = { stop, [Symbol.asyncDispose]: async () => void (await stop()) }
    this.#captures.add(capture)
    return capture
  }

  /** Ends what is still captured: a network that stands on for the user writes no more. @internal */
  async endCaptures(): Promise<void> {
    await Promise.allSettled([...this.#captures].map((capture) => capture.stop()))
  }

  /** Writes the last mebibyte that went through into such a file, and gives how many frames that is. */
  saveRecent(file: string): Promise<number> {
    return this.#request('saveRecent', resolve(file))
  }

  /**
   * The frames that fit `filter`, in their order, as far as they are remembered: the last mebibyte. Throws a `RaspiError`
   * where frames since `since` are forgotten, so that an empty list means that there were none.
   * @example expect(await networks.mgmt.frames({ from: 'boreas', protocol: 'tcp', port: 80 })).toHaveLength(0)
   */
  frames(filter: FrameFilter = {}): Promise<Frame[]> {
    return this.#request('frames', filter)
  }

  /** What has gone through the link of each Pi so far. */
  statistics(): Promise<Record<string, PortStatistics>> {
    return this.#request('statistics', undefined)
  }

  async #break<Name extends FaultName>(name: Name, options: FaultInput<Name>): Promise<Fault> {
    const number = await this.#request('fault', [name, options] as SegmentRequests['fault']['input'])
    return this.#faults.add(`${name} of the network ${this.name}`, () => this.#request('undo', number))
  }

  async #request<Name extends keyof SegmentRequests>(
    ask: Name,
    input: SegmentRequests[Name]['input'],
  ): Promise<SegmentRequests[Name]['output']> {
    return (await this.#ask({ ask, input } as SegmentRequest)) as SegmentRequests[Name]['output']
  }
}
