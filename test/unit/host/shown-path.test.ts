import { expect, test } from 'vitest'
import { shownPath } from '../../../src/host/shown-path.ts'

test.for([
  ['/repo/roles/web.yml', 'roles/web.yml'],
  ['/repo/..notes/web.yml', '..notes/web.yml'],
  ['/repo', '.'],
  ['/repository/site.yml', '/repository/site.yml'],
  ['/site.yml', '/site.yml'],
] as const)('of /repo, %s is shown as %s', ([path, shown]) => {
  expect(shownPath(path, '/repo')).toBe(shown)
})
