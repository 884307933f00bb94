import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
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
const lab = vi.hoisted(() => ({ lease: vi.fn(), used() {}, say() {} }))
vi.mock('../../../src/lab/client.ts', () => ({ connectLab: async () => lab as unknown as LabClient }))

const planner = (async () => ({ hosts: { pi: {} }, ansible: {}, vars: {} })) as unknown as Planner

test('where there is no room for what Ansible writes no Pi is asked for', async () => {
  given.raspiLab = { projectDir: '/', runDir: join(scratchDir(), 'gone') }
  given.raspiOptions = resolveOptions({ ansible: undefined })
  const borrowed = borrow('a test', planner, { steps: undefined }, undefined, () => undefined)
  await expect(borrowed).rejects.toThrow('ENOENT')
  expect(lab.lease).not.toHaveBeenCalled()
})
