import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadStream } from 'node:tty'
import { duration, type Log } from '../host/progress.ts'
import type { LivePi } from '../lab/live-pi.ts'
import type { PauseWish } from '../lab/protocol.ts'
import { sshConfig } from '../standing/ready-files.ts'

/** Where somebody may press a key: of a terminal's standard input what this takes. */
export type Keyboard = Pick<
  ReadStream,
  'isTTY' | 'isRaw' | 'on' | 'off' | 'listeners' | 'removeAllListeners' | 'listenerCount' | 'pause' | 'resume'
>

/** Who is told of pauses, and who ends them. */
export interface PauseContext {
  keyboard: Keyboard
  env: NodeJS.ProcessEnv
  log: Log
}

/** What of a Pi is to be looked at. */
type Paused = Pick<LivePi, 'dir' | 'connection' | 'controlPath' | 'signal'>

/** Lets the user look at Pis of tests, one after the other, each until Enter is pressed. */
export class Pauses {
  readonly #context: PauseContext
  /** The pause that somebody looks at, and those that wait for their turn. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(context: PauseContext) {
    this.#context = context
  }

  /** Tells how to get into `pi`, and waits for Enter or for the Pi's end. Says so and does nothing where nobody sits there. */
  async pause(pi: Paused, wish: PauseWish): Promise<void> {
    const { keyboard, env, log } = this.#context
    const name = `pi.pause(${wish.what === undefined ? '' : JSON.stringify(wish.what)})`
    if (!keyboard.isTTY || (env.CI && env.CI !== 'false')) {
      const why = keyboard.isTTY ? 'this is CI' : 'there is no terminal to press a key at'
      log(`${name} of "${wish.holder}" does nothing: ${why}.`)
      return
    }
    // In the order of asking.
    const mine = this.#turn.then(() => this.#hold(pi, wish))
    this.#turn = mine.catch(() => {})
    await mine
  }

  async #hold(pi: Paused, { holder, name, what, endsAt }: PauseWish): Promise<void> {
    const { keyboard, log } = this.#context
    const { dir, connection, controlPath, signal } = pi
    if (signal.aborted) return
    const config = join(dir, 'ssh_config')
    await writeFile(config, sshConfig([{ name, groups: [], vars: {}, connection, controlPath }]), {
      mode: 0o600,
    })
    const left = endsAt === undefined ? 0 : endsAt - Date.now()
    const limit = ` The test's timeout comes in ${duration(left)}; { timeout: 0 } has none.`
    log(`Paused${what === undefined ? '' : `, to ${what}`}: "${holder}"`)
    log(`  Look: ssh -F ${config} ${name}`)
    log(`  Enter goes on.${left > 0 ? limit : ''}`)
    await enter(keyboard, signal)
    log(signal.aborted ? `The pause is over, because ${name} is gone.` : 'Goes on.')
  }
}

/** A key as Node's readline tells of it: https://nodejs.org/api/readline.html#readlineemitkeypresseventsstream-interface */
interface Key {
  name?: string
}

/** Waits for Enter, or until `signal` aborts. */
async function enter(keyboard: Keyboard, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise.finally(keyboard.isRaw ? ofKeys(keyboard, resolve) : ofLines(keyboard, resolve))
}

/**
 * In watch mode Vitest listens to single keys, and Enter cancels its run: that one is ours for the time of the pause, all
 * others remain Vitest's. Gives what ends it.
 */
function ofKeys(keyboard: Keyboard, done: () => void): () => void {
  const vitests = keyboard.listeners('keypress') as ((text: string, key?: Key) => void)[]
  const listen = (text: string, key?: Key) => {
    if (key?.name === 'return' || key?.name === 'enter') done()
    else for (const each of vitests) each(text, key)
  }
  keyboard.removeAllListeners('keypress')
  keyboard.on('keypress', listen)
  return () => {
    keyboard.off('keypress', listen)
    for (const each of vitests) keyboard.on('keypress', each)
  }
}

/** Elsewhere nobody listens, and the terminal gives whole lines. Gives what ends it. */
function ofLines(keyboard: Keyboard, done: () => void): () => void {
  const alone = keyboard.listenerCount('data') === 0
  const listen = (chunk: Buffer | string) => {
    if (/[\r\n]/.test(String(chunk))) done()
  }
  keyboard.on('data', listen)
  keyboard.resume()
  return () => {
    keyboard.off('data', listen)
    // Who reads from a terminal does not end.
    if (alone) keyboard.pause()
  }
}
