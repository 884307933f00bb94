import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import * as os from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { processId } from '../../../src/host/process.ts'
import { livingRuns, RunDir, runsDir, sweepDeadRuns } from '../../../src/host/run-dir.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

vi.mock('node:os', { spy: true })

test('a living run is not swept', () => {
  const dir = scratchDir()
  const run = new RunDir(dir)
  expect(sweepDeadRuns(dir)).toBe(0)
  expect(existsSync(run.path)).toBe(true)
})

test('a run of another machine or container lives until it has given no sign of life for a day', () => {
  const dir = scratchDir()
  const run = new RunDir(dir)
  const file = join(run.path, 'owner.json')
  const mine = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...mine, world: '0123456789ab', pid: 999_999_999 }))
  // Who has the pid of a process of the run here is another one.
  const { pid = 0 } = sleep()
  writeFileSync(join(run.path, 'processes/1'), JSON.stringify(processId(pid)))
  expect([sweepDeadRuns(dir), livingRuns(dir)]).toEqual([0, [run.path]])
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400
  utimesSync(file, twoDaysAgo, twoDaysAgo)
  expect([livingRuns(dir), sweepDeadRuns(dir)]).toEqual([[], 1])
  expect(existsSync(run.path)).toBe(false)
  expect(processId(pid)).toBeDefined()
})

test('a run of an earlier version, which tells no world and gives no sign, lives as long as its process', () => {
  const dir = scratchDir()
  const run = new RunDir(dir)
  const file = join(run.path, 'owner.json')
  const { world, ...mine } = JSON.parse(readFileSync(file, 'utf8')) as { world: string }
  expect(world).toMatch(/^[0-9a-f]{12}$/)
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400
  writeFileSync(file, JSON.stringify(mine))
  utimesSync(file, twoDaysAgo, twoDaysAgo)
  expect([sweepDeadRuns(dir), livingRuns(dir)]).toEqual([0, [run.path]])
})

test('a run gives a sign of life each hour', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const run = new RunDir(scratchDir())
  const file = join(run.path, 'owner.json')
  utimesSync(file, 1, 1)
  vi.advanceTimersByTime(3_600_000)
  await expect.poll(() => statSync(file).mtimeMs).toBeGreaterThan(1_000)
  run.remove()
  expect(vi.getTimerCount()).toBe(0)
})

test('what was made again after its run had removed it is swept, but not what has just been made', () => {
  const dir = scratchDir()
  const [old, young] = [join(dir, 'vitest-raspi-old'), join(dir, 'vitest-raspi-young')]
  for (const each of [old, young]) mkdirSync(join(each, 'workers/ansible/tmp'), { recursive: true })
  const aMinuteAgo = Date.now() / 1000 - 60
  utimesSync(old, aMinuteAgo, aMinuteAgo)
  expect(sweepDeadRuns(dir)).toBe(1)
  expect([existsSync(old), existsSync(young)]).toEqual([false, true])
})

test('a run of a user who is not in passwd is swept as any', () => {
  vi.mocked(os.userInfo).mockImplementation(() => {
    throw new Error('uv_os_get_passwd returned ENOENT')
  })
  onTestFinished(() => void vi.mocked(os.userInfo).mockRestore())
  const dir = scratchDir()
  const run = new RunDir(dir)
  const file = join(run.path, 'owner.json')
  const mine = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...mine, pid: 999_999_999 }))
  expect(sweepDeadRuns(dir)).toBe(1)
})

test.for([
  ['/var/folders/ab/0123456789abcdefghijklmnopqrst/T', true],
  [`/${'t'.repeat(55)}`, true],
  ['/tmp/für alle', false],
  ['/tmp/100%', false],
  [`/${'t'.repeat(56)}`, false],
] as const)('runs are in %s: %s', ([dir, serves]) => {
  vi.stubEnv('TMPDIR', dir)
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(runsDir()).toBe(serves ? dir : '/tmp')
})

test('below the longest directory for runs there is room for each socket, as ssh makes it', async () => {
  const dir = join(scratchDir(), 't'.repeat(100)).slice(0, 56)
  mkdirSync(dir)
  const run = new RunDir(dir)
  mkdirSync(join(run.path, 'f12/c'), { recursive: true })
  const server = createServer().listen(join(run.path, `f12/c/ssh.${'x'.repeat(16)}`))
  await once(server, 'listening')
  server.close()
})

function sleep() {
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' })
  onTestFinished(() => void sleeper.kill())
  return sleeper
}
