import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { AnsibleContext } from '../../../src/ansible/ansible.ts'
import type { LabClient } from '../../../src/lab/client.ts'
import { resolveOptions } from '../../../src/options.ts'
import { borrow } from '../../../src/vitest/borrow.ts'
import type { Planner } from '../../../src/vitest/plan.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

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
  given.raspiLab = { projectDir: '/', runDir: join(scratchDir(), 'gone') }
  given.raspiOptions = resolveOptions({ ansible: undefined })
  const borrowed = borrow('a test', planner, { steps: undefined }, undefined, () => undefined)
  await expect(borrowed).rejects.toThrow('ENOENT')
  expect(lab.lease).not.toHaveBeenCalled()
})

test('what Ansible does on Pis that tests share ends with the test that began it, and not under the next', async () => {
  given.raspiLab = { projectDir: '/', runDir: scratchDir() }
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
})
