import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Door } from '../../../src/machine/door.ts'
import { runBySsh } from '../../../src/pi/ssh.ts'

const off = 'Pi pi-1 is off: its system was shut down'

async function piBehindDoor() {
  const dir = mkdtempSync(join(tmpdir(), 'vitest-raspi-ssh-'))
  const door = await Door.open()
  onTestFinished(() => {
    door.close()
    rmSync(dir, { recursive: true })
  })
  for (const name of ['key', 'known_hosts']) writeFileSync(join(dir, name), '', { mode: 0o600 })
  const connection = {
    host: '127.0.0.1',
    port: door.port,
    user: 'pi',
    privateKeyFile: join(dir, 'key'),
    knownHostsFile: join(dir, 'known_hosts'),
  }
  return { door, run: () => runBySsh('pi', connection, join(dir, 'ssh'), 'true') }
}

test('a command on a Pi that is off says so at once', async () => {
  const { door, run } = await piBehindDoor()
  door.refuse(off)
  await expect(run()).rejects.toMatchObject({ kind: 'ssh', message: `${off}.` })
})

test('a command waits for a Pi that reboots, and says so where it is shut down instead', async () => {
  const { door, run } = await piBehindDoor()
  const outcome = run().then(String, String)
  expect(await Promise.race([outcome, new Promise((resolve) => setTimeout(resolve, 500, 'waits'))])).toBe(
    'waits',
  )
  door.refuse(off)
  expect(await outcome).toBe(`RaspiError: ${off}.`)
})

test.for(['its time is over', 'it is called off'])(
  'a command ends when %s, whoever else has its output open',
  async (why) => {
    const dir = mkdtempSync(join(tmpdir(), 'vitest-raspi-ssh-'))
    onTestFinished(() => {
      vi.unstubAllEnvs()
      rmSync(dir, { recursive: true })
    })
    // As OpenSSH hands its output over to the process with the shared connection, which outlives it.
    writeFileSync(join(dir, 'ssh'), '#!/bin/sh\nsleep 20 &\nexec sleep 20\n', { mode: 0o755 })
    vi.stubEnv('PATH', `${dir}:${process.env.PATH}`)
    const connection = {
      host: '127.0.0.1',
      port: 1,
      user: 'pi',
      privateKeyFile: 'key',
      knownHostsFile: 'known',
    }
    const started = performance.now()
    const options = why === 'its time is over' ? { timeoutMs: 500 } : { signal: AbortSignal.timeout(500) }
    await expect(runBySsh('pi', connection, join(dir, 'master'), 'true', options)).rejects.toThrow(
      why === 'its time is over' ? 'Pi pi did not finish within 0.5 s: true' : /timeout/,
    )
    expect(performance.now() - started).toBeLessThan(10_000)
  },
)
