import { expect, test } from 'vitest'
import { moduleDir, slug } from '../../../src/report/evidence-dir.ts'

const place = { evidenceDir: '/repo/.vitest/raspi', root: '/repo', project: '' }

test('each file of each project has a directory', () => {
  expect(moduleDir(place, '/repo/test/web.test.ts')).toBe('/repo/.vitest/raspi/test-web.test.ts')
  expect(moduleDir({ ...place, project: 'pi 4' }, '/repo/test/web.test.ts')).toBe(
    '/repo/.vitest/raspi/pi-4-test-web.test.ts-292e5a1a',
  )
})

test.for([
  ['test/web/site.test.ts', 'test/web-site.test.ts', 'test-web/site.test.ts', 'test-web-site.test.ts'],
  ['a-/b.test.ts', 'a/-b.test.ts', 'a---b.test.ts'],
  ['prüfung.test.ts', 'pr-fung.test.ts', 'prøfung.test.ts'],
  [`${'a'.repeat(120)}/one.test.ts`, `${'a'.repeat(120)}/two.test.ts`],
  ['other/web.test.ts', '../other/web.test.ts'],
])('%s and the like have directories of their own', (paths) => {
  const names = paths.map((path) => moduleDir(place, `/repo/${path}`).slice('/repo/.vitest/raspi/'.length))
  expect(new Set(names).size).toBe(paths.length)
  for (const name of names) expect(name).toMatch(/^\w[\w.-]{0,99}$/)
})

test('no name leads out of the directory or is hidden', () => {
  expect(moduleDir(place, '/other/web.test.ts')).toBe('/repo/.vitest/raspi/other-web.test.ts-a32b86be')
  expect(slug('../..')).toBe('_')
  expect(slug('the "web" role: ü')).toBe('the-web-role')
  expect(slug('a'.repeat(300))).toHaveLength(100)
})
