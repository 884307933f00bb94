import { expect, onTestFinished, test, vi } from 'vitest'
import type { Engine, PiSource } from '../../../src/engine/engine.ts'
import { thaw } from '../../../src/freeze/thaw.ts'
import { LivePi } from '../../../src/lab/live-pi.ts'
import { boards } from '../../../src/machine/boards.ts'
import type { ServiceShell } from '../../../src/machine/service-shell.ts'
import { openSshMaster } from '../../../src/pi/ssh.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aQemu } from './fake-qemu.ts'

vi.mock('../../../src/freeze/thaw.ts')
vi.mock('../../../src/pi/ssh.ts')

/** A thawed Pi that has been handed over, with the machine and the root shell that it has in place of a QEMU's. */
async function aLentPi() {
  const [qemu, dir] = [aQemu(), scratchDir()]
  const shell = { run: vi.fn(async () => ({ status: 0, output: '' })), finish: vi.fn(), close() {} }
  vi.mocked(thaw).mockResolvedValue({ machine: qemu, shell: shell as unknown as ServiceShell })
  vi.mocked(openSshMaster).mockResolvedValue({
    close() {},
    rest() {},
    wake() {},
    closed: new Promise(() => {}),
  })
  const place = { dir, logDir: dir, end: async () => {} }
  const pi = await LivePi.start(
    { image: { user: 'pi' }, board: boards.raspi3b, frozen: {} } as unknown as PiSource,
    {
      ...{ engine: { open: async () => place } as unknown as Engine, dir, number: 1, hostname: 'pi-1' },
      ...{ timeoutMs: 10_000, signal: new AbortController().signal, log() {}, notEmulated() {} },
    },
  )
  onTestFinished(() => pi.end())
  await pi.handOver()
  return { pi, qemu, shell }
}

test('a Pi that is switched does first what it would still do, but for one that hangs', async () => {
  const { pi, shell } = await aLentPi()
  const { promise: done, resolve } = Promise.withResolvers<void>()
  shell.finish.mockReturnValue(done)
  const cut = vi.fn()
  const waiting = pi.power('cut').then(cut)
  await vi.waitFor(() => expect(shell.finish).toHaveBeenCalled())
  expect(cut).not.toHaveBeenCalled()
  resolve()
  await waiting

  const hangs = await aLentPi()
  hangs.shell.finish.mockReturnValue(done)
  await hangs.pi.fault({ hangs: true })
  expect(hangs.shell.finish).toHaveBeenCalled()

  const hung = await aLentPi()
  hung.shell.finish.mockReturnValue(new Promise(() => {}))
  await hung.pi.machine.fault({ hangs: true })
  expect(await hung.pi.power('cut')).toBe('off')
})
