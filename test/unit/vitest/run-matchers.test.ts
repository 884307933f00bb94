import { stripVTControlCharacters } from 'node:util'
import { expect as base, expect, test } from 'vitest'
import { type RunMatchers, runMatchers } from '../../../src/vitest/run-matchers.ts'
import { aRun, aTask } from '../ansible/runs.ts'

base.extend(runMatchers)
type Expected = RunMatchers<void> & { not: RunMatchers<void> }
const expectRun = (run: unknown) => expect(run) as unknown as Expected

function messageOf(assertion: () => void): string {
  try {
    assertion()
  } catch (error) {
    return stripVTControlCharacters((error as Error).message)
  }
  throw new Error('The assertion passed.')
}

const broken = aRun({
  exitCode: 2,
  tasks: [
    aTask({ name: 'Update' }),
    aTask({
      status: 'failed',
      result: { msg: 'non-zero return code', rc: 100, stderr: 'E: no\nE: package', changed: true },
    }),
  ],
  stdout: 'PLAY [Web] ****\n\nTASK [web : Install nginx] ****\nfatal: [pi]: FAILED!\n',
})
const changing = aRun({
  tasks: [
    aTask({
      status: 'changed',
      changed: true,
      diff: [{ before: 'old\n', after: 'new\n', after_header: '/etc/page' }],
    }),
    aTask({ name: 'Look' }),
  ],
})
const quiet = aRun({ tasks: [aTask(), aTask({ name: 'Skip', status: 'skipped' })] })

test('toSucceed tells what failed, where, why, and the last lines', () => {
  expect(messageOf(() => expectRun(broken).toSucceed())).toBe(`expect(run).toSucceed() failed

Playbook: site.yml
Expected: every task succeeds
Received: 1 task failed (exit code 2)

TASK [web : Install nginx]
  at roles/web/tasks/main.yml:12
  on pi, with ansible.builtin.apt, after 3.1 s
    msg: non-zero return code
    rc: 100
    stderr:
      E: no
      E: package

Last lines of ansible-playbook:
  PLAY [Web] ****
  TASK [web : Install nginx] ****
  fatal: [pi]: FAILED!`)
})

test('toSucceed passes for a good run, and its opposite for a bad one', () => {
  expectRun(quiet).toSucceed()
  expectRun(broken).not.toSucceed()
  expect(messageOf(() => expectRun(quiet).not.toSucceed())).toBe(`expect(run).not.toSucceed() failed

Playbook: site.yml
Expected: a task fails
Received: every task succeeded`)
})

test('toSucceed and toBeIdempotent do not pass where no Pi was worked on, and name the Pis and the plays', () => {
  const here = { name: 'Here', hosts: 'localhost', matched: true, pis: [] }
  const nobody = { name: 'Web', hosts: 'webserver', matched: false, pis: [] }
  const ofLocalhost = aRun({
    ...{ pis: { web: ['webservers'], db: [] }, plays: [here, nobody] },
    tasks: [aTask({ host: 'localhost' })],
  })
  expect(messageOf(() => expectRun(ofLocalhost).toSucceed())).toBe(`expect(run).toSucceed() failed

Playbook: site.yml
Expected: every task succeeds
Received: no play matched a Pi, none was worked on

Pis: web (webservers), db

Plays:
  Here (hosts: localhost)
  Web (hosts: webserver)`)
  expectRun(ofLocalhost).not.toBeIdempotent()
  expectRun(aRun({ plays: [], command: 'ansible-playbook --list-tasks site.yml' })).not.toSucceed()
})

test('a run whose tags left no task has not succeeded, and the message names the tags there are', () => {
  const none = { tags: ['nginxx'], skipTags: [], known: ['nginx', 'packages'] }
  const missed = (more: object = {}, check = false) => aRun({ check, noneChosen: { ...none, ...more } })
  expect(messageOf(() => expectRun(missed()).toSucceed())).toBe(`expect(run).toSucceed() failed

Playbook: site.yml
Expected: every task succeeds
Received: no task ran: no task has the tag nginxx

Tags there are: nginx, packages`)
  expectRun(missed()).not.toBeIdempotent()
  expectRun(missed({}, true)).not.toChangeNothingInCheckMode()
  expectRun(missed({}, true)).not.toPredictItsChanges(missed())
  const told = (more: object) => messageOf(() => expectRun(missed(more)).toSucceed())
  expect(told({ tags: ['a', 'b'], skipTags: ['c'], known: [] })).toMatch(
    /any of the tags a, b and is not skipped by the tag c\n\nTags there are: none$/,
  )
  expect(told({ tags: [], skipTags: ['a', 'b'] })).toContain('every task is skipped by the tags a, b')
  expect(told({ includes: true })).toMatch(
    /\n\nTags there are: nginx, packages \(files that are included while it runs are not looked into: the include itself needs the tag\)$/,
  )
  expect(told({ tags: [], skipTags: ['a'], includes: true })).toMatch(/nginx, packages$/)
  expect(told({ startAt: 'Install' })).toContain('no task is called “Install”')
})

test('a Pi is worked on too where a task is delegated to it, and a check of the syntax needs none', () => {
  const plays = [{ name: 'Here', hosts: 'localhost', matched: true, pis: [] }]
  const delegated = (to: string) => aRun({ plays, tasks: [aTask({ host: 'localhost', delegatedTo: to })] })
  expectRun(delegated('pi')).toSucceed()
  expectRun(delegated('elsewhere')).not.toSucceed()
  expectRun(aRun({ plays: [], command: 'ansible-playbook --syntax-check site.yml' })).toSucceed()
})

test('toSucceed shows the items that failed, not those that did not', () => {
  const item = (label: string, status: 'ok' | 'failed') => ({
    label,
    status,
    changed: false,
    result: { msg: `${label}!` },
    diff: [],
  })
  const task = aTask({
    status: 'failed',
    result: { msg: 'One or more items failed' },
    items: [item('a', 'ok'), item('b', 'failed')],
  })
  const message = messageOf(() => expectRun(aRun({ exitCode: 2, tasks: [task] })).toSucceed())
  expect(message).toContain('    item b:\n      msg: b!')
  expect(message).not.toContain('item a')
})

test('a message stays short however long the output is', () => {
  const task = aTask({
    status: 'failed',
    result: { stderr: 'x'.repeat(100_000), stdout: 'y\n'.repeat(100_000) },
  })
  expect(
    messageOf(() => expectRun(aRun({ exitCode: 2, tasks: Array(50).fill(task) })).toSucceed()).length,
  ).toBeLessThan(5_000)
})

test('toHaveChanged counts as the recap does', () => {
  expectRun(changing).toHaveChanged()
  expectRun(changing).toHaveChanged(1)
  expectRun(changing).not.toHaveChanged(2)
  expectRun(quiet).not.toHaveChanged()
  expectRun(broken).not.toHaveChanged()
  expect(messageOf(() => expectRun(changing).toHaveChanged(2))).toContain(
    'Expected: 2 tasks changed\nReceived: 1 task changed\n\n  changed     pi: TASK [web : Install nginx]',
  )
})

test('toBeIdempotent names each task that changed something, with its diff', () => {
  expectRun(quiet).toBeIdempotent()
  expectRun(changing).not.toBeIdempotent()
  const message = messageOf(() => expectRun(changing).toBeIdempotent())
  expect(message).toContain(`expect(run).toBeIdempotent() failed

Playbook: site.yml
Expected: no task changes anything
Received: 1 task changed

TASK [web : Install nginx]
  at roles/web/tasks/main.yml:12
  on pi, with ansible.builtin.apt, after 3.1 s`)
  expect(stripVTControlCharacters(message)).toContain('    --- before\n    +++ /etc/page\n    -old\n    +new')
})

test('no line of a private key is shown, however long it is', () => {
  const line = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ'
  const key = `-----BEGIN RSA PRIVATE KEY-----\n${`${line}\n`.repeat(50)}-----END RSA PRIVATE KEY-----\n`
  const diff = [{ before: '', after: key }]
  const wrote = aRun({ tasks: [aTask({ status: 'changed', changed: true, diff })] })
  expect(messageOf(() => expectRun(wrote).toBeIdempotent())).not.toContain(line)
  const printed = aRun({ exitCode: 2, tasks: [aTask({ status: 'failed', result: { stdout: key } })] })
  expect(messageOf(() => expectRun(printed).toSucceed())).not.toContain(line)
})

test('toBeIdempotent does not take a failed run for one that changed nothing', () => {
  expect(messageOf(() => expectRun(broken).toBeIdempotent())).toContain('Received: 1 task failed')
})

test('toBeIdempotent says how to get a diff where there is none', () => {
  const run = aRun({ tasks: [aTask({ status: 'changed', changed: true })] })
  expect(messageOf(() => expectRun(run).toBeIdempotent())).toContain('run the playbook with { diff: true }')
})

test('toChangeNothingInCheckMode is for check mode', () => {
  expectRun(aRun({ check: true, tasks: [aTask()] })).toChangeNothingInCheckMode()
  expect(messageOf(() => expectRun(quiet).toChangeNothingInCheckMode())).toContain('{ check: true }')
})

test('toFail looks for the task and for its words', () => {
  expectRun(broken).toFail()
  expectRun(broken).toFail({ task: 'Install nginx', message: /no\nE/ })
  expectRun(broken).toFail({ task: 'web : Install nginx', message: 'package' })
  expectRun(broken).not.toFail({ task: 'Update' })
  expectRun(quiet).not.toFail()
  expect(messageOf(() => expectRun(broken).toFail({ task: 'Update', message: 'gone' }))).toContain(
    'Expected: task "Update" fails with "gone"\nReceived: 1 task failed (exit code 2)\n\nTASK [web : Install nginx]',
  )
})

test('toHaveRunTask counts a skipped task only where it is asked for', () => {
  expectRun(quiet).toHaveRunTask('Install nginx')
  expectRun(quiet).toHaveRunTask(/nginx/g, { status: 'ok', host: 'pi' })
  expectRun(quiet).toHaveRunTask('Skip', { status: 'skipped' })
  expectRun(quiet).not.toHaveRunTask('Skip')
  expectRun(quiet).not.toHaveRunTask('Install nginx', { host: 'pi2' })
  expect(messageOf(() => expectRun(quiet).toHaveRunTask('Instal nginx'))).toContain(
    'Received: no task of this name',
  )
})

test.for<[string, (it: Record<string, (...args: unknown[]) => void>) => void, string]>([
  ['toHaveRunTask', (it) => it.toHaveRunTask?.('Look', { state: 'changed' }), 'it knows no option "state"'],
  [
    'toHaveRunTask',
    (it) => it.toHaveRunTask?.('Look', 'changed'),
    'options are an object, and not "changed"',
  ],
  ['toHaveRunTask', (it) => it.toHaveRunTask?.('Look', null), 'its options are an object, and not null'],
  ['toHaveRunTask', (it) => it.toHaveRunTask?.('Look', { status: 'chnged' }), 'there is no status "chnged"'],
  ['toHaveRunTask', (it) => it.toHaveRunTask?.('Look', { host: /pi/ }), 'its host is no name of one'],
  ['toHaveRunTask', (it) => it.toHaveRunTask?.(), 'undefined is no name'],
  ['toFail', (it) => it.toFail?.({ msg: 'disk full' }), 'it knows no option "msg"'],
  ['toFail', (it) => it.toFail?.('Install nginx'), 'its options are an object, and not "Install nginx"'],
  ['toFail', (it) => it.toFail?.(/nginx/), 'its options are an object, and not /nginx/'],
  ['toFail', (it) => it.toFail?.({ task: ['Install nginx'] }), '["Install nginx"] is no name'],
  ['toHaveChanged', (it) => it.toHaveChanged?.('2'), '"2" is no number of tasks'],
  ['toHaveNotifiedHandler', (it) => it.toHaveNotifiedHandler?.('R', { hosts: 'db1' }), 'no option "hosts"'],
  ['toHaveNoWarnings', (it) => it.toHaveNoWarnings?.({ exept: [] }), 'it knows no option "exept"'],
  ['toHaveNoWarnings', (it) => it.toHaveNoWarnings?.({ except: 'Old' }), '"Old" is no list of names'],
  ['toSucceed', (it) => it.toSucceed?.('Install'), 'it does not take "Install"'],
  ['toBeIdempotent', (it) => it.toBeIdempotent?.({ except: ['x'] }), 'it does not take {"except":["x"]}'],
  ['toChangeNothingInCheckMode', (it) => it.toChangeNothingInCheckMode?.(1), 'it does not take 1'],
  ['toHaveChanged', (it) => it.toHaveChanged?.(2, { host: 'db' }), 'it does not take {"host":"db"}'],
])('%s refuses what would expect nothing, negated or not: %s', ([name, assertion, why]) => {
  for (const it of [expect(broken), expect(broken).not]) {
    const refused = messageOf(() => assertion(it as never))
    expect(refused).toContain(`${name} can't be used like this: `)
    expect(refused).toContain(why)
  }
})

test('a run that has gone through JSON can still be judged', () => {
  expect(messageOf(() => expectRun(JSON.parse(JSON.stringify(broken))).toSucceed())).toContain(
    '1 task failed',
  )
})

test('what is no run is refused, with a word on a missing await', () => {
  expect(messageOf(() => expectRun(Promise.resolve(quiet)).toSucceed())).toBe(
    'toSucceed can be used only with what ansible.playbook() gives, was called with a promise: `await` it first.',
  )
  expect(messageOf(() => expectRun(null).not.toSucceed())).toContain('was called with null')
})

const task = (name: string, status: 'ok' | 'changed' | 'skipped', more = {}) =>
  aTask({ name, status, changed: status === 'changed', ...more })

test('toPredictItsChanges compares the tasks that would change with those that did', () => {
  const check = aRun({
    check: true,
    tasks: [
      task('A', 'changed'),
      task('B', 'skipped'),
      task('C', 'changed'),
      task('D', 'ok'),
      task('D', 'changed'),
    ],
  })
  const real = aRun({
    tasks: [
      task('A', 'changed'),
      task('B', 'changed'),
      task('C', 'ok'),
      task('D', 'ok'),
      task('D', 'changed'),
    ],
  })
  expect(
    messageOf(() => expectRun(check).toPredictItsChanges(real)),
  ).toBe(`expect(run).toPredictItsChanges() failed

Playbook: site.yml
Expected: the check run tells which tasks change something
Received: it did not tell of 1 task; 1 task of those it told changed nothing

Changed, but not foretold:

  TASK [web : B] (roles/web/tasks/main.yml:12) on pi: skipped in the check run

Foretold, but not changed:

  TASK [web : C] (roles/web/tasks/main.yml:12) on pi`)
  expectRun(check).toPredictItsChanges(real, { except: ['B', /^C$/] })
  expectRun(check).not.toPredictItsChanges(real)
  const like = aRun({ ...check, check: false })
  expectRun(check).toPredictItsChanges(like)
  expect(messageOf(() => expectRun(check).not.toPredictItsChanges(like))).toContain(
    'it told them all, and no more',
  )
})

test('toPredictItsChanges wants a check run, a real run, and both to succeed', () => {
  const check = aRun({ check: true })
  expect(messageOf(() => expectRun(quiet).toPredictItsChanges(quiet))).toContain('{ check: true }')
  expect(messageOf(() => expectRun(check).toPredictItsChanges(check))).toContain('{ check: true }')
  expect(messageOf(() => expectRun(check).toPredictItsChanges(broken))).toContain(
    'Received: the real run: 1 task failed (exit code 2)',
  )
})

test('toPredictItsChanges refuses what it does not know', () => {
  const slip = { exept: ['Look'] } as object
  const check = aRun({ check: true })
  expect(messageOf(() => expectRun(check).toPredictItsChanges(quiet, slip))).toContain('no option "exept"')
})

test('toHaveNotifiedHandler tells who was notified instead', () => {
  const run = aRun({
    notified: [
      { name: 'Restart', role: 'web', host: 'one' },
      { name: 'Reload', host: 'two' },
    ],
  })
  expectRun(run).toHaveNotifiedHandler('Restart')
  expectRun(run).toHaveNotifiedHandler('web : Restart', { host: 'one' })
  expectRun(run).not.toHaveNotifiedHandler(/re/i, { host: 'three' })
  expect(messageOf(() => expectRun(run).toHaveNotifiedHandler('Restart', { host: 'two' }))).toContain(
    'Expected: handler "Restart" notified by two\nReceived: web : Restart by one, Reload by two',
  )
  expect(messageOf(() => expectRun(run).not.toHaveNotifiedHandler('Reload'))).toContain(
    'Expected: not handler',
  )
  expect(messageOf(() => expectRun(quiet).toHaveNotifiedHandler('Reload'))).toContain(
    'Received: no handler notified',
  )
})

test('toHaveNoWarnings lists each warning once, and overlooks what it may', () => {
  const run = aRun({
    warnings: ['A long warning that Ansible has wrapped', 'Only here'],
    deprecations: [
      'Old. Deprecation warnings can be disabled by setting deprecation_warnings=False in ansible.cfg.',
    ],
    tasks: [aTask({ warnings: ['A long warning that Ansible\nhas wrapped'], deprecations: ['Old.'] })],
  })
  expect(messageOf(() => expectRun(run).toHaveNoWarnings())).toContain(
    'Received: 3 warnings\n\n  A long warning that Ansible\nhas wrapped\n  Only here\n  Old.',
  )
  expect(messageOf(() => expectRun(run).toHaveNoWarnings({ deprecations: false }))).toContain('2 warnings')
  expectRun(run).toHaveNoWarnings({ except: ['wrapped', /^Only/, 'Old'] })
  expectRun(run).not.toHaveNoWarnings()
  expectRun(quiet).toHaveNoWarnings()
  expect(messageOf(() => expectRun(quiet).not.toHaveNoWarnings())).toContain('Expected: a warning')
})
