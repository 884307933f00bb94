import { expect, onTestFinished, test, vi } from 'vitest'
import { resolveOptions } from '../../../src/options.ts'
import { StandingLab } from '../../../src/standing/standing-lab.ts'
import { TestKeeper, withKeepOf } from '../../../src/vitest/keep.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aPi, labOf, requestOf } from '../lab/fake-pis.ts'

const { signal } = new AbortController()

/** A lab with room for one Pi, its keeper, and what he has said. */
function keptLab() {
  vi.stubEnv('XDG_RUNTIME_DIR', scratchDir())
  onTestFinished(() => void vi.unstubAllEnvs())
  const lab = labOf([aPi(1), aPi(2)], { maxPis: 1 })
  const said: string[] = []
  return { lab, said, keeper: new TestKeeper(lab, (line) => said.push(line)) }
}

test('a Pi that is kept gives way to a test that begins to wait', async () => {
  const { lab, said, keeper } = keptLab()
  const { id } = await lab.lease(requestOf(1), signal, () => {})
  expect(await keeper.keep(id, 'kept after a test')).toEqual(['pi-1'])
  expect(await lab.lease(requestOf(1), signal, () => {})).toMatchObject({ pis: [{ number: 2 }] })
  expect(said).toEqual([
    'Pi pi-1 is kept after a test: npx vitest-raspi ssh pi-1',
    'Pi pi-1 is kept no longer: a test waits for its place',
  ])
})

test('where a test waits already no Pi is kept', async () => {
  const { lab, said, keeper } = keptLab()
  const { id } = await lab.lease(requestOf(1), signal, () => {})
  const next = lab.lease(requestOf(1), signal, () => {})
  await expect.poll(() => lab.waiting).toBe(1)
  expect(await keeper.keep(id, 'kept after a test')).toEqual([])
  expect(await next).toMatchObject({ pis: [{ number: 2 }] })
  expect(said).toEqual(['Pi pi-1 is kept no longer: a test waits for its place'])
})

test('where no Pi can be kept the run ends as one that keeps none', async () => {
  const { lab, keeper } = keptLab()
  const { id } = await lab.lease(requestOf(1), signal, () => {})
  const beside = vi.spyOn(StandingLab, 'beside').mockRejectedValue(new Error('no place'))
  await expect(keeper.keep(id, 'kept after a test')).rejects.toThrow('no place')
  await expect(keeper.hold()).resolves.toBeUndefined()
  beside.mockRestore()
  expect(await keeper.keep(id, 'kept after a test')).toEqual(['pi-1'])
})

const options = resolveOptions({ keep: 'all' })

test('the environment ranks above the option', () => {
  expect(withKeepOf({}, options).keep).toBe('all')
  expect(withKeepOf({ VITEST_RASPI_KEEP: '' }, options).keep).toBe('all')
  expect(withKeepOf({ VITEST_RASPI_KEEP: 'failed' }, options).keep).toBe('failed')
  expect(resolveOptions({}).keep).toBe('none')
})

test('what it cannot be is refused', () => {
  expect(() => withKeepOf({ VITEST_RASPI_KEEP: 'yes' }, options)).toThrow(
    'VITEST_RASPI_KEEP cannot be "yes".\n  Set it to failed, to all, or to none.',
  )
})
