import { setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import * as requirements from '../../../src/host/requirements.ts'
import { LabHost, type LabHostContext } from '../../../src/lab/lab-host.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

// What is of this host's runs is none of this test's.
vi.mock(import('../../../src/host/run-dir.ts'), () => ({ sweepDeadRuns: () => 0 }))
vi.mock(import('../../../src/host/requirements.ts'), { spy: true })

const tools = { qemu: 'qemu', qemuVersion: '7.2.22', qemuImg: 'qemu-img', ssh: 'ssh' }

test('a tool that was missing is looked for once more when tests are run again', async () => {
  const assertHost = vi
    .mocked(requirements.assertHost)
    .mockRejectedValueOnce(new Error('QEMU is missing'))
    .mockResolvedValue({ ...tools, ansiblePlaybook: 'ansible-playbook', ansibleVersion: '2.19.0' })
  const host = new LabHost({
    ...{ options: { engine: 'process' }, cacheDir: scratchDir(), log: () => {} },
  } as unknown as LabHostContext)
  await expect(host.engine()).rejects.toThrow('QEMU is missing')
  await expect(host.engine()).rejects.toThrow('QEMU is missing')
  expect(assertHost).toHaveBeenCalledOnce()
  host.lookAnew()
  await turn()
  const engine = await host.engine()
  expect(engine.qemuVersion).toBe('7.2.22')
  host.lookAnew()
  await turn()
  expect(await host.engine()).toBe(engine)
  expect(assertHost).toHaveBeenCalledTimes(2)
})
