import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { RaspiError } from '../errors.ts'
import { machineFiles } from './command-line.ts'
import type { Place } from './place.ts'

/** How long the stub may take to answer, in ms: on a busy host, and by an engine elsewhere. */
const answerMs = 30_000

/**
 * A client of QEMU's gdb stub, for the one thing QMP cannot do: write to a device's registers.
 * https://sourceware.org/gdb/current/onlinedocs/gdb.html/Remote-Protocol.html
 */
export class Gdb {
  readonly #socket: Duplex
  #received = ''

  private constructor(socket: Duplex) {
    this.#socket = socket
    // Kept in one listener: an answer may come in two pieces at once.
    socket.on('data', (chunk) => {
      this.#received += String(chunk)
    })
  }

  /** Connects to the stub of the machine at `place` and turns it to physical addresses. The machine must be paused. */
  static async connect(place: Pick<Place, 'connect' | 'dir'>): Promise<Gdb> {
    const socket = await place.connect(`${place.dir}/${machineFiles.gdb}`, AbortSignal.timeout(answerMs))
    socket.on('error', () => {})
    const gdb = new Gdb(socket)
    // https://www.qemu.org/docs/master/system/gdb.html#examining-physical-memory
    await gdb.#ask('Qqemu.PhyMemMode:1')
    return gdb
  }

  /** Reads the 32-bit register at the physical `address`. */
  async readWord(address: number): Promise<number> {
    const answer = await this.#ask(`m${address.toString(16)},4`)
    return Buffer.from(answer, 'hex').readUInt32LE()
  }

  /** Writes the 32-bit register at the physical `address`. */
  async writeWord(address: number, value: number): Promise<void> {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value >>> 0)
    await this.#ask(`M${address.toString(16)},4:${bytes.toString('hex')}`)
  }

  /** Leaves the stub; the machine stays as it is (paused or not). */
  async close(): Promise<void> {
    await this.#ask('D').catch(() => {})
    this.#socket.destroy()
  }

  /** Breaks the connection off; a paused machine stays paused. */
  leave(): void {
    this.#socket.destroy()
  }

  async #ask(command: string): Promise<string> {
    const sum = Buffer.from(command).reduce((total, byte) => (total + byte) & 0xff, 0)
    this.#received = ''
    this.#socket.write(`$${command}#${sum.toString(16).padStart(2, '0')}`)
    const signal = AbortSignal.timeout(answerMs)
    for (;;) {
      const packet = /\$([^#]*)#[0-9a-f]{2}/.exec(this.#received)
      if (!packet) {
        await once(this.#socket, 'data', { signal }).catch(() => {
          throw new RaspiError(
            'boot',
            `QEMU's gdb stub gave no answer to ${command} within ${answerMs / 1000} s`,
          )
        })
        continue
      }
      this.#socket.write('+')
      this.#received = this.#received.slice(packet.index + packet[0].length)
      const answer = packet[1] ?? ''
      // What the stub says of itself when the machine is paused is no answer.
      if (/^T\d/.test(answer)) continue
      if (answer === '' || /^E\d\d/.test(answer)) {
        throw new RaspiError('boot', `QEMU's gdb stub refused ${command}: ${answer || 'not supported'}`)
      }
      return answer
    }
  }
}
