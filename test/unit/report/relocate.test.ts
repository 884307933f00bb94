import { expect, test } from 'vitest'
import { relocateAccount, relocateFailure, relocation } from '../../../src/report/relocate.ts'
import { aFailureTask } from './samples.ts'

const here = relocation('/home/runner/repo', '/work space')

test('what lay in the project there lies in it here; all else stays', () => {
  expect(here('/home/runner/repo/roles/web/tasks/main.yml')).toBe('/work space/roles/web/tasks/main.yml')
  expect(here('/home/runner/repository/site.yml')).toBe('/home/runner/repository/site.yml')
  expect(here('/usr/share/ansible/main.yml')).toBe('/usr/share/ansible/main.yml')
  expect(relocation('/repo', '/repo')('/repo/site.yml')).toBe('/repo/site.yml')
  expect(relocation(undefined, '/repo')('/elsewhere/site.yml')).toBe('/elsewhere/site.yml')
})

test('an account and a failure are told with paths that are those here', () => {
  const path = '/home/runner/repo/site.yml'
  const run = {
    ...{ playbook: 'site.yml', ok: true, check: false, outcome: 'exit code 0', omitted: 0 },
    ...{ startedAt: 0, endedAt: 1, plays: [{ name: 'Web', path, line: 1 }] },
    tasks: [
      {
        ...{ name: 'a', handler: false, host: 'pi', status: 'ok' as const, endedAt: 1, durationMs: 1 },
        path,
      },
      { name: 'b', handler: false, host: 'pi', status: 'ok' as const, endedAt: 1, durationMs: 1 },
    ],
  }
  const { runs } = relocateAccount({ runs: [run], errors: ['Oops'] }, here)
  expect(runs[0]?.plays[0]).toEqual({ name: 'Web', path: '/work space/site.yml', line: 1 })
  expect(runs[0]?.tasks.map((task) => task.path)).toEqual(['/work space/site.yml', undefined])
  const summary = { dir: '/home/runner/repo/.vitest/raspi/a', consoles: [], tasks: [aFailureTask({ path })] }
  expect(relocateFailure(summary, here)).toMatchObject({
    dir: '/work space/.vitest/raspi/a',
    tasks: [{ path: '/work space/site.yml' }],
  })
})
