import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { AnsibleContext } from '../../../src/ansible/ansible.ts'
import type { LabClient } from '../../../src/lab/client.ts'
import { SegmentCalls } from '../../../src/network/calls.ts'
import { resolveOptions } from '../../../src/options.ts'
import { Network } from '../../../src/pi/network.ts'
import { type Borrowed, borrow, mend } from '../../../src/vitest/borrow.ts'
import type { Planner } from '../../../src/vitest/plan.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { pis, taken } from '../network/nic.ts'

const given = vi.hoisted(() => ({ raspiLab: {}, raspiOptions: {} }))
vi.mock('vitest', async (original) => ({
  ...(await original<typeof import('vitest')>()),
  inject: (key: keyof typeof given) => given[key],
}))
const lab = vi.hoisted(() => {
  const { signal } = new AbortController()
  return { lease: vi.fn(), used() {}, say() {}, gone: signal, lost: () => signal }
})
const contexts = vi.hoisted(() => [] as AnsibleContext[])
vi.mock('../../../src/report/run-record.ts', () => ({
  RecordingAnsible: class {
    constructor(context: AnsibleContext) {
      contexts.push(context)
    }
  },
}))
vi.mock('../../../src/lab/client.ts', () => ({ connectLab: async () => lab as unknown as LabClient }))

const planner = (async () => ({ hosts: { pi: {} }, ansible: {}, vars: {} })) as unknown as Planner

test('where there is no room for what Ansible writes no Pi is asked for', async () => {
  given.raspiLab = { projectDir: '/', runDir: join(scratchDir(), 'gone'), replaced: [] }
  given.raspiOptions = resolveOptions({ ansible: undefined })
  const borrowed = borrow('a test', planner, { steps: undefined }, undefined, () => undefined)
  await expect(borrowed).rejects.toThrow('ENOENT')
  expect(lab.lease).not.toHaveBeenCalled()
})

test('what Ansible does on Pis that tests share ends with the test that began it, and not under the next', async () => {
  const mode = { name: 'MODE', by: ['test'], before: 'staging' }
  given.raspiLab = { projectDir: '/', runDir: scratchDir(), replaced: [mode] }
  given.raspiOptions = resolveOptions({})
  lab.lease.mockResolvedValueOnce({ id: 1, queuedMs: 0, pis: [{ number: 1, name: 'pi' }] })
  const [late, next] = [new AbortController(), new AbortController()]
  let current: AbortController | undefined = late
  await borrow('a file', planner, { steps: undefined }, undefined, () =>
    current ? { endsAt: undefined, signal: current.signal } : undefined,
  )
  const begun = contexts[0]?.signal
  late.abort(new Error('it timed out'))
  expect(begun?.reason).toEqual(new Error('it timed out'))
  current = undefined
  expect(contexts[0]?.signal?.aborted).toBe(false)
  current = next
  expect(contexts[0]?.signal?.aborted).toBe(false)
  // Its environment is the user's, with what a test sets meanwhile.
  expect(contexts[0]?.programEnv).toMatchObject({ MODE: 'staging', PATH: process.env.PATH })
  vi.stubEnv('MODE', 'production')
  expect(contexts[0]?.programEnv).toMatchObject({ MODE: 'production' })
})

test('what a test has broken of its networks and Pis and has not mended ends with it, whatever cannot be mended', async () => {
  const { segment, nics } = await pis(['a', 'b'])
  const calls = new SegmentCalls(segment)
  const pxe = new Network('pxe', (request) => calls.answer(request))
  const lost = new Network('lost', async ({ ask }) => {
    if (ask === 'undo') throw new Error('The lease has ended.')
    return 1
  })
  const faults = { clear: vi.fn(async () => {}) }
  await lost.unplug('a')
  await pxe.partition([['a'], ['b']])
  await pxe.loss({ percent: 100 })
  await pxe.delay({ ms: 3_600_000 })
  nics.a.say(nics.b, 'lost')
  await taken(segment, 'a', 2)
  await mend({ networks: { lost, pxe }, pis: { pi: { faults } } } as unknown as Borrowed)
  nics.a.say(nics.b, 'heard')
  expect(await nics.b.heardUntil('heard')).toEqual([])
  expect(faults.clear).toHaveBeenCalledOnce()
})
