import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultCacheDir } from '../../../src/host/paths.ts'
import { resolveOptions } from '../../../src/options.ts'

test('a ~ at the beginning of a cache’s path is the home directory, wherever it is named', () => {
  const place = join(homedir(), 'pis')
  expect(defaultCacheDir({ VITEST_RASPI_CACHE: '~/pis' })).toBe(place)
  expect(resolveOptions({ cacheDir: '~/pis' }).cacheDir).toBe(place)
  expect(defaultCacheDir({ VITEST_RASPI_CACHE: '/srv/~/pis' })).toBe('/srv/~/pis')
})
