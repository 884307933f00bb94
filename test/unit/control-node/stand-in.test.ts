import * as fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa, type Options } from 'execa'
import { expect, onTestFinished, test, vi } from 'vitest'
import { anyProgram, needing } from '../../../src/ansible/elsewhere.ts'
import { openDoor, type Workplace } from '../../../src/control-node/door.ts'
import { makeStandIns } from '../../../src/control-node/stand-ins.ts'
import { supervise } from '../../../src/host/supervise.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { startRemote } from './remote.ts'

vi.mock('node:fs', { spy: true })

/** What runs any command through a door, behind which is this host. */
async function place(given: Partial<Workplace> = {}) {
  const dir = scratchDir()
  const workplace = {
    bring: async () => {},
    start: async () => startRemote(),
    take: async () => {},
    ...given,
  }
  const server = await openDoor(join(dir, 'door'), workplace)
  onTestFinished(() => void server.close())
  const env: NodeJS.ProcessEnv = makeStandIns(join(dir, "b'in"), join(dir, 'door'))
  const run = <O extends Options>(command: string[], options?: O) =>
    execa(anyProgram, command, { env, extendEnv: false, reject: false, ...(options as O) })
  return { dir, env, run }
}

const sh = (script: string) => ['sh', '-c', script]

/** The processes of this host with `mark` in their command lines. */
async function processesWith(mark: string): Promise<string[]> {
  const { stdout } = await execa('pgrep', ['-f', mark], { reject: false })
  return stdout.split('\n').filter(Boolean)
}

test('a command has its input, its output and its exit code', async () => {
  const { run } = await place()
  const result = await run(sh('cat; echo problem >&2; exit 3'), { input: 'täglich\n' })
  expect(result).toMatchObject({ stdout: 'täglich', stderr: 'problem', exitCode: 3 })
})

test('a command that a signal ends has the exit code of a shell', async () => {
  const { run } = await place()
  expect((await run(sh('kill -KILL $$'))).exitCode).toBe(137)
})

test('one that is not there is told as the supervisor does', async () => {
  const { run } = await place()
  expect(await run(['no-such-program'])).toMatchObject({
    ...{ exitCode: 127, stderr: 'no-such-program: No such file or directory' },
  })
})

test('it works in the same directory, with what was set for it and the rest of its own environment', async () => {
  const { run, dir, env } = await place()
  const result = await run(sh('pwd; echo "$GREETING"; echo "$PATH"; umask'), {
    cwd: dir,
    env: { ...env, GREETING: 'two\nlines' },
  })
  const [cwd, ...rest] = result.stdout?.split('\n') ?? []
  expect(cwd).toBe(dir)
  expect(rest.slice(0, 2)).toEqual(['two', 'lines'])
  expect(rest[2]).toContain(process.env.PATH)
  expect(rest[2]).not.toContain("b'in")
  expect(Number.parseInt(rest[3] ?? '', 8)).toBe(process.umask())
})

test('many megabytes each way come through as they are, on all channels at once', async () => {
  const { run, env } = await place()
  const input = Buffer.alloc(5_000_000, 'abcdefg\n')
  const result = await run(sh('head -c 3000000 /dev/zero >&2; head -c 2000000 /dev/zero >&3; cat'), {
    ...{ input, encoding: 'buffer', stdio: ['pipe', 'pipe', 'pipe', 'pipe'], maxBuffer: 1e8 },
    stripFinalNewline: false,
    env: { ...env, VITEST_RASPI_CALLBACK: '{"fd":3}' },
  } as const)
  expect(Buffer.compare(result.stdout as unknown as Buffer, input)).toBe(0)
  expect([result.stderr?.length, (result.stdio[3] as unknown as Buffer).length]).toEqual([
    3_000_000, 2_000_000,
  ])
})

test('an output that nobody reads holds no other up, and the command waits as at a pipe', async () => {
  const { run, dir } = await place()
  const file = join(dir, 'written')
  const child = run(sh(`(head -c 4000000 /dev/zero; echo > "${file}") & echo first >&2; wait`), {
    buffer: false,
  })
  child.stdout?.pause()
  const [chunk] = await new Promise<Buffer[]>((resolve) =>
    child.stderr?.once('data', (data) => resolve([data])),
  )
  expect(String(chunk)).toBe('first\n')
  await delay(500)
  expect(() => fs.readFileSync(file)).toThrow('ENOENT')
  child.stdout?.resume()
  expect((await child).exitCode).toBe(0)
  expect(fs.readFileSync(file, 'utf8')).toBe('\n')
})

test('who stops reading ends the command as a broken pipe does', async () => {
  const { run } = await place()
  const child = run(sh('yes; echo "yes ended with $?" >&2'), { buffer: false })
  child.stdout?.once('data', () => child.stdout?.destroy())
  let said = ''
  for await (const chunk of child.stderr ?? []) said += chunk
  expect(said).toMatch(/yes ended with (141|1)\n/)
})

test('a signal ends the command with everything that it has started, in its own time', async () => {
  const { run } = await place()
  const mark = `30.${process.pid}1`
  const child = run(
    sh(`trap 'echo orderly; exit 5' TERM; setsid sleep ${mark} & echo up; while :; do sleep 0.05; done`),
  )
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  child.kill('SIGTERM')
  expect(await child).toMatchObject({ stdout: 'up\norderly', exitCode: 5 })
  expect(await processesWith(`sleep ${mark}`)).toEqual([])
})

test('one that heeds no signal is killed, and so is what runs when the stand-in was', async () => {
  const { run } = await place()
  const mark = `30.${process.pid}2`
  const stubborn = run(sh(`trap '' TERM; echo up; sleep ${mark}; sleep ${mark}`))
  await new Promise((resolve) => stubborn.stdout?.once('data', resolve))
  stubborn.kill('SIGTERM')
  expect((await stubborn).exitCode).toBe(137)
  const killed = run(sh(`trap '' TERM; echo up; sleep ${mark}; sleep ${mark}`))
  await new Promise((resolve) => killed.stdout?.once('data', resolve))
  killed.kill('SIGKILL')
  await killed
  await expect.poll(() => processesWith(`sleep ${mark}`)).toEqual([])
})

test('the supervisor of this host ends what runs behind the door', async () => {
  const { env } = await place()
  const mark = `30.${process.pid}3`
  const stop = new AbortController()
  const child = supervise(anyProgram, sh(`echo up; sleep ${mark}`), {
    ...{ env, extendEnv: false, reject: false, cancelSignal: stop.signal },
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  stop.abort()
  expect((await child).isCanceled).toBe(true)
  await expect.poll(() => processesWith(`sleep ${mark}`)).toEqual([])
})

test('nothing that a command leaves behind outlives it', async () => {
  const { run } = await place()
  const mark = `30.${process.pid}4`
  expect((await run(sh(`setsid sleep ${mark} > /dev/null 2>&1 & exit 0`))).exitCode).toBe(0)
  expect(await processesWith(`sleep ${mark}`)).toEqual([])
})

test('what it needs is brought before, and what it made is fetched before it has ended', async () => {
  const told: unknown[] = []
  const { run, env } = await place({
    bring: async (needs) => void told.push(needs),
    take: async (results) => {
      await delay(200)
      told.push(results)
    },
  })
  await run(['true'], { env: { ...env, ...needing(env, { ports: [2222], results: ['/made'] }) } })
  expect(told).toEqual([{ ports: [2222], files: [], results: ['/made'] }, ['/made']])
})

test("where no program may be run, this host's own Ansible does not run instead", () => {
  const bin = scratchDir()
  // As on a file system that is mounted with noexec, also for root.
  vi.mocked(fs.accessSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('permission denied'), { code: 'EACCES' })
  })
  expect(() => makeStandIns(bin, '/door')).toThrow(
    `Ansible cannot run in a container: no program may be run from ${bin}.`,
  )
})

test('where nothing can be started, that is what the program says', async () => {
  const { run } = await place({
    start: async () => {
      throw new Error('The container is gone.')
    },
  })
  expect(await run(['true'])).toMatchObject({ stderr: 'The container is gone.', exitCode: 255 })
})

test('where the other side ends in the middle, that is what the program says', async () => {
  const remote = Promise.withResolvers<number>()
  const { run } = await place({
    start: async () => {
      const started = startRemote()
      remote.resolve(started.pid)
      return started
    },
  })
  const child = run(sh('echo up; sleep 5'))
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  process.kill(await remote.promise, 'SIGKILL')
  expect(await child).toMatchObject({ stderr: 'The container that Ansible runs in is gone.', exitCode: 255 })
})
