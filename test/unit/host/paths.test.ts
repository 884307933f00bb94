import * as os from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { defaultCacheDir } from '../../../src/host/paths.ts'
import { resolveOptions } from '../../../src/options.ts'

vi.mock('node:os', { spy: true })

test('a ~ at the beginning of a cache’s path is the home directory, wherever it is named', () => {
  const place = join(os.homedir(), 'pis')
  expect(defaultCacheDir({ VITEST_RASPI_CACHE: '~/pis' })).toBe(place)
  expect(resolveOptions({ cacheDir: '~/pis' }).cacheDir).toBe(place)
  expect(defaultCacheDir({ VITEST_RASPI_CACHE: '/srv/~/pis' })).toBe('/srv/~/pis')
})

test('a user who is not in passwd and has no HOME has a cache’s path all the same', () => {
  vi.mocked(os.homedir).mockImplementationOnce(() => {
    throw new Error('uv_os_homedir returned ENOENT')
  })
  expect(defaultCacheDir({})).toBe('/.cache/vitest-raspi')
})
