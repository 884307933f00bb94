import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, vi } from 'vitest'
import type { LabClient } from '../../../src/lab/client.ts'
import type { Lease } from '../../../src/lab/protocol.ts'
import { resolveOptions } from '../../../src/options.ts'
import { raspiTest } from '../../../src/vitest/fixtures.ts'

// What these tests ask the lab for; there is no lab.

const given = vi.hoisted(() => ({ raspiLab: {}, raspiOptions: {}, raspiEvidence: {} }))
vi.mock('vitest', async (original) => ({
  ...(await original<typeof import('vitest')>()),
  inject: (key: keyof typeof given) => given[key],
}))
const lab = vi.hoisted(() => {
  const { signal } = new AbortController()
  return {
    ...{ lease: vi.fn<LabClient['lease']>(), release: async () => {}, used() {}, say() {} },
    ...{ gone: signal, lost: () => signal },
  }
})
vi.mock('../../../src/lab/client.ts', () => ({ connectLab: async () => lab as unknown as LabClient }))
vi.mock('../../../src/vitest/evidence.ts')
const runDir = mkdtempSync(join(tmpdir(), 'vitest-raspi-test-'))
afterAll(() => rmSync(runDir, { recursive: true }))
given.raspiLab = { projectDir: '/', runDir, replaced: [] }
given.raspiOptions = resolveOptions({})
lab.lease.mockResolvedValue({ id: 1, queuedMs: 0, pis: [{ number: 1, name: 'pi' }] } as Lease)

const hermetic = { tags: ['hermetic'] }
const internet = () => lab.lease.mock.lastCall?.[0].pis.map((pi) => pi.internet)

raspiTest()('a test has the internet', ({ pi }) => {
  expect([pi.name, internet()]).toEqual(['pi', [true]])
})

raspiTest()('one with the tag hermetic has not', hermetic, ({ pi }) => {
  expect([pi.name, internet()]).toEqual(['pi', [false]])
})

raspiTest({ internet: true })('unless it is said to have it', hermetic, ({ pi }) => {
  expect([pi.name, internet()]).toEqual(['pi', [true]])
})
