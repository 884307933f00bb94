import { expectTypeOf, it } from 'vitest'
import {
  type AnsibleRun,
  type BoardOption,
  expect,
  type FaultInput,
  type FileExpectation,
  type HostStats,
  type Network,
  type Pattern,
  type Pi,
  type PlaybookOptions,
  type RaspiTestOptions,
  type ServiceExpectation,
  type TaskActions,
  type TaskDiff,
} from 'vitest-raspi'

declare const pi: Pi
declare const run: AnsibleRun

it('judges a Pi in a promise, because it has to look', () => {
  expectTypeOf(expect(pi).toHaveFile('/etc/motd', { mode: '0644', contains: 'hello' })).toEqualTypeOf<
    Promise<void>
  >()
  expectTypeOf(expect(pi).not.toListenOn(22)).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(pi).toHaveService('ssh', { running: true })).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(pi).toHaveUser('pi', { groups: ['gpio'] })).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(pi).toHaveSysctl('vm.swappiness', /\d+/)).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(pi).toHaveGpio(17, { level: 'high' })).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(pi).toHaveService('ssh', { restartedSince: new Date() })).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(pi).toAnswerHttp('http://localhost/')).toEqualTypeOf<Promise<void>>()
})

it('judges a run at once', () => {
  expectTypeOf(expect(run).toSucceed()).toEqualTypeOf<void>()
  expectTypeOf(expect(run).toBeIdempotent()).toEqualTypeOf<void>()
  expectTypeOf(expect(run).not.toHaveChanged(3)).toEqualTypeOf<void>()
  expectTypeOf(expect(run).toFail({ task: 'Install', message: /no such package/ })).toEqualTypeOf<void>()
  expectTypeOf(expect(run).toPredictItsChanges(run, { except: ['Reload'] })).toEqualTypeOf<void>()
  expectTypeOf(expect(run).toHaveNotifiedHandler('Reload', { host: 'web' })).toEqualTypeOf<void>()
  expectTypeOf(expect(run).toHaveNoWarnings({ deprecations: false })).toEqualTypeOf<void>()
  expectTypeOf(expect(run).toHaveRunTask('Install', { status: 'changed', host: 'web' })).toEqualTypeOf<void>()
})

it('knows what each of them may expect', () => {
  // @ts-expect-error: an octal number cannot be told from a decimal one, so a mode is a text
  expect(pi).toHaveFile('/etc/motd', { mode: 0o644 })
  // @ts-expect-error: a service is `running`, a timer is `active`
  expect(pi).toHaveService('ssh', { active: true })
  // @ts-expect-error: a port is a number
  expect(pi).toListenOn('22')
  // @ts-expect-error: a level is a word
  expect(pi).toHaveGpio(17, { level: 1 })
  // @ts-expect-error: a value is needed
  expect(pi).toHaveSysctl('vm.swappiness')
  // @ts-expect-error: Ansible has no such status
  expect(run).toHaveRunTask('Install', { status: 'done' })
})

it('has a name for what helpers around it hand on', () => {
  const toBeMine = (path: string, expected: FileExpectation) =>
    expect(pi).toHaveFile(path, { owner: 'me', ...expected })
  expectTypeOf(toBeMine).toBeCallableWith('/etc/motd', { content: /hello/ })
  expectTypeOf<FileExpectation['content']>().toEqualTypeOf<Pattern | undefined>()
  expectTypeOf<{ running: true }>().toExtend<ServiceExpectation>()
  expectTypeOf<PlaybookOptions['onTask']>().toEqualTypeOf<TaskActions | undefined>()
  expectTypeOf<RaspiTestOptions['board']>().toEqualTypeOf<BoardOption | undefined>()
  expectTypeOf<AnsibleRun['stats'][string]>().toEqualTypeOf<HostStats>()
  expectTypeOf<AnsibleRun['tasks'][number]['diff']>().toEqualTypeOf<TaskDiff[]>()
  expectTypeOf<Parameters<Network['loss']>[0]>().toEqualTypeOf<FaultInput<'loss'>>()
})

it('leaves the matchers of Vitest as they are', () => {
  expectTypeOf(expect('Pi').toBe('Pi')).toEqualTypeOf<void>()
})
