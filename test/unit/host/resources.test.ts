import { expect, test } from 'vitest'
import { checkLine } from '../../../src/host/check.ts'
import { checkCores, checkDisk, checkMemory } from '../../../src/host/resources.ts'
import { fakeHost } from './fake-host.ts'

test('free space counts where the cache will be, and an image takes more than a run', async () => {
  const asked: string[] = []
  const freeSpace = async (dir: string) => {
    asked.push(dir)
    return 5.97e9
  }
  const { context, root } = fakeHost({ freeSpace })
  expect(await checkDisk('run', context)).toMatchObject({ status: 'ok' })
  expect(checkLine(await checkDisk('build', context))).toBe(
    `missing  disk                    5.9 GB free for ${context.cacheDir}, 6 GB are needed → ` +
      'free 1 GB there, or set VITEST_RASPI_CACHE to a directory on a larger disk',
  )
  expect(asked).toEqual([root, root])
})

test('a cache that cannot be written is missing, whatever space there is', async () => {
  const { context, root, file } = fakeHost()
  file('/home', 'not a directory')
  const disk = await checkDisk('run', context)
  expect(disk).toMatchObject({
    status: 'missing',
    remedy: 'set VITEST_RASPI_CACHE to a directory that is yours',
  })
  expect(disk.found).toContain(`${root}/home is not a directory`)
})

test.for([
  [2, 'ok'],
  [1.5, 'warning'],
  [0.5, 'missing'],
] as const)('with %f GiB available, memory is %s', ([gibibytes, status]) => {
  const { context } = fakeHost({ availableMemory: () => gibibytes * 2 ** 30 })
  expect(checkMemory(context)).toMatchObject({
    status,
    found: expect.stringContaining(`${gibibytes} GiB available`),
  })
})

test('one core is a warning', () => {
  expect(checkCores(fakeHost({ cores: 1 }).context).status).toBe('warning')
  expect(checkCores(fakeHost({ cores: 2 }).context)).toMatchObject({ status: 'ok', found: '2' })
})
