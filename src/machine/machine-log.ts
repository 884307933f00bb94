import { appendFileSync, readFileSync } from 'node:fs'

/** What happened to a QEMU process: `at` in ms since the epoch. */
export interface MachineEvent {
  at: number
  /** It was started, with this command line; it said this; or it ended, so. */
  what: 'starts' | 'says' | 'ended'
  text: string
}

/** How many lines of QEMU's are kept of one machine. Some of them come thousands of times. */
const keptLines = 500

/** What QEMU says of every Pi: of a NIC that is not up yet, thousands of times, and of one that is looked at. */
export const noise = /(?:Slirp: Failed to send packet, ret: -1|usbnet: failed control transaction: .*)\n/g

/** A file with the command lines, the messages and the ends of a Pi's QEMU processes, a line each. */
export class MachineLog {
  readonly file: string
  #said = 0
  #rest = ''

  constructor(file: string) {
    this.file = file
  }

  /** Notes an event of now. Never throws: no Pi is lost because of its log. */
  note(what: MachineEvent['what'], text: string): void {
    try {
      const line = text.trim().replace(/\s*\n\s*/g, '; ')
      appendFileSync(this.file, `${new Date().toISOString()}  ${what}: ${line}\n`, { mode: 0o600 })
    } catch {
      // Its directory is gone, or the disk is full, which the Pi itself is going to tell.
    }
  }

  /** Takes what QEMU says as it comes, without its noise. */
  hear(chunk: string): void {
    const lines = `${this.#rest}${chunk}`.split('\n')
    this.#rest = (lines.pop() ?? '').slice(-16_384)
    for (const line of lines) {
      if (!`${line}\n`.replace(noise, '').trim()) continue
      if (++this.#said <= keptLines) this.note('says', line)
      if (this.#said === keptLines) this.note('says', '… and more, which is not kept')
    }
  }
}

/** Reads what a {@link MachineLog} holds; nothing where there is none. */
export function readMachineLog(file: string): MachineEvent[] {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [, at = '', what, said = ''] = /^(\S+Z) {2}(starts|says|ended): (.*)$/.exec(line) ?? []
    return what ? [{ at: Date.parse(at), what: what as MachineEvent['what'], text: said }] : []
  })
}
