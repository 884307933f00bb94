import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { type Keyboard, Pauses } from '../../../src/vitest/pause.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

/** A terminal's standard input, and whether somebody reads from it. */
class Keys extends EventEmitter {
  isTTY = true
  isRaw: boolean
  reads = false

  constructor(isRaw: boolean) {
    super()
    this.isRaw = isRaw
  }

  resume() {
    this.reads = true
    return this
  }

  pause() {
    this.reads = false
    return this
  }
}

const wish = { holder: 'test/site.test.ts > the site', name: 'boreas', what: 'look' }

function aPause({ isRaw = false, isTTY = true, env = {} as NodeJS.ProcessEnv } = {}) {
  const keys = new Keys(isRaw)
  keys.isTTY = isTTY
  const said: string[] = []
  const pauses = new Pauses({
    ...{ keyboard: keys as unknown as Keyboard, env },
    log: (line) => said.push(line),
  })
  const gone = new AbortController()
  const pi = {
    ...{ dir: scratchDir(), controlPath: '/run/ssh', signal: gone.signal },
    connection: { host: '127.0.0.1', port: 2222, user: 'pi', privateKeyFile: '/k', knownHostsFile: '/h' },
  }
  return { keys, said, pauses, pi, gone }
}

test('a pause tells how to get in, and Enter ends it', async () => {
  const { keys, said, pauses, pi } = aPause()
  const endsAt = Date.now() + 1_700_400
  const paused = pauses.pause(pi, { ...wish, endsAt })
  await expect.poll(() => said).toHaveLength(3)
  expect(said).toEqual([
    'Paused, to look: "test/site.test.ts > the site"',
    `  Look: ssh -F ${pi.dir}/ssh_config boreas`,
    "  Enter goes on. The test's timeout comes in 28 min 20 s; { timeout: 0 } has none.",
  ])
  expect(readFileSync(`${pi.dir}/ssh_config`, 'utf8')).toMatch(/^Host boreas\n(.*\n)* {2}Port 2222\n/)
  expect(keys.reads).toBe(true)
  keys.emit('data', Buffer.from('no'))
  expect(said).toHaveLength(3)
  keys.emit('data', Buffer.from('\n'))
  await paused
  expect(said.at(-1)).toBe('Goes on.')
  // Else the process would not end.
  expect(keys.reads).toBe(false)
  expect(keys.listenerCount('data')).toBe(0)
})

test('in watch mode Enter is not for Vitest while it is paused, and all other keys are', async () => {
  const { keys, said, pauses, pi } = aPause({ isRaw: true })
  const vitest = vi.fn()
  keys.on('keypress', vitest)
  const paused = pauses.pause(pi, { holder: 'a test', name: 'pi' })
  await expect.poll(() => said).toHaveLength(3)
  expect(said[0]).toBe('Paused: "a test"')
  expect(said[2]).toBe('  Enter goes on.')
  keys.emit('keypress', 'q', { name: 'q' })
  expect(vitest).toHaveBeenCalledExactlyOnceWith('q', { name: 'q' })
  keys.emit('keypress', '\r', { name: 'return' })
  await paused
  expect(vitest).toHaveBeenCalledOnce()
  keys.emit('keypress', '\r', { name: 'return' })
  expect(vitest).toHaveBeenCalledTimes(2)
  expect(keys.listenerCount('keypress')).toBe(1)
})

test.for([
  [{ isTTY: false }, 'there is no terminal to press a key at'],
  [{ env: { CI: 'true' } }, 'this is CI'],
] as const)('with %j it does nothing, and says so', async ([given, why]) => {
  const { said, pauses, pi, keys } = aPause(given)
  await pauses.pause(pi, wish)
  expect(said).toEqual([`pi.pause("look") of "test/site.test.ts > the site" does nothing: ${why}.`])
  expect(keys.listenerCount('data')).toBe(0)
})

test('it ends with its Pi', async () => {
  const { said, pauses, pi, gone, keys } = aPause()
  const paused = pauses.pause(pi, wish)
  await expect.poll(() => said).toHaveLength(3)
  gone.abort()
  await paused
  expect(said.at(-1)).toBe('The pause is over, because boreas is gone.')
  expect(keys.reads).toBe(false)
})

test('of two tests that pause one comes after the other', async () => {
  const { said, pauses, pi, keys } = aPause()
  const first = pauses.pause(pi, { ...wish, holder: 'one' })
  const second = pauses.pause(pi, { ...wish, holder: 'two' })
  await expect.poll(() => said).toHaveLength(3)
  keys.emit('data', '\n')
  await first
  await expect.poll(() => said).toHaveLength(7)
  expect(said.filter((line) => line.startsWith('Paused'))).toEqual([
    'Paused, to look: "one"',
    'Paused, to look: "two"',
  ])
  keys.emit('data', '\n')
  await second
})
