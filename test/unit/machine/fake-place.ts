import { EventEmitter } from 'node:events'
import { createInterface } from 'node:readline'
import { type Duplex, duplexPair, PassThrough } from 'node:stream'
import type { Place } from '../../../src/machine/place.ts'

/** A place where `dir` is, whose QEMU has nothing but a control socket: it does what it is told, and tells what it is `told` to tell. */
export function aPlace(dir: string) {
  const exit = Promise.withResolvers<{ exitCode?: number; signal?: string }>()
  const events = new EventEmitter<{ event: [string] }>()
  const talk = (socket: Duplex) => {
    const say = (words: object) => void socket.write(`${JSON.stringify(words)}\n`)
    events.on('event', (line) => socket.write(`${line}\n`))
    createInterface({ input: socket }).on('line', (line) => {
      const { id, execute } = JSON.parse(line) as { id: number; execute: string }
      say({ id, return: {} })
      if (execute === 'quit') exit.resolve({ exitCode: 0 })
    })
  }
  const place = {
    ...{ dir, logDir: dir, consoleFile: `${dir}/console.log`, qemuVersion: '7.2.22', cores: 4 },
    ...{ segments: 'connect', bring: async (file: string) => file },
    startQemu: async () => ({
      ...{ messages: new PassThrough(), exited: exit.promise, comeForward() {}, setTimerSlack() {} },
      kill: () => exit.resolve({ signal: 'SIGKILL' }),
    }),
    async connect() {
      const [ours, theirs] = duplexPair()
      talk(theirs)
      return ours
    },
  } as Partial<Place> as Place
  /** Has QEMU tell of an event. */
  const tell = (event: string, data: object) => void events.emit('event', JSON.stringify({ event, data }))
  return { place, tell }
}
