import { expect, test } from 'vitest'
import { moduleDir, slug } from '../../../src/report/evidence-dir.ts'

const place = { evidenceDir: '/repo/.vitest/raspi', root: '/repo', project: '' }

test('each file of each project has a directory', () => {
  expect(moduleDir(place, '/repo/test/web.test.ts')).toBe('/repo/.vitest/raspi/test-web.test.ts')
  expect(moduleDir({ ...place, project: 'pi 4' }, '/repo/test/web.test.ts')).toBe(
    '/repo/.vitest/raspi/pi-4-test-web.test.ts',
  )
})

test('no name leads out of the directory or is hidden', () => {
  expect(moduleDir(place, '/other/web.test.ts')).toBe('/repo/.vitest/raspi/other-web.test.ts')
  expect(slug('../..')).toBe('_')
  expect(slug('the "web" role: ü')).toBe('the-web-role')
  expect(slug('a'.repeat(300))).toHaveLength(100)
})
