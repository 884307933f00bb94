import { describe, expect, test } from 'vitest'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const nginx = {
  Id: 'nginx.service',
  LoadState: 'loaded',
  ActiveState: 'active',
  SubState: 'running',
  UnitFileState: 'enabled',
  calendar: [],
}
const failed = {
  ...nginx,
  ActiveState: 'failed',
  SubState: 'failed',
  UnitFileState: 'disabled',
  Result: 'exit-code',
  ExecMainStatus: '1',
  log: 'unknown directive "gzipp"\nconfiguration file /etc/nginx/nginx.conf test failed\n',
}
const masked = {
  ...nginx,
  ActiveState: 'inactive',
  SubState: 'dead',
  LoadState: 'masked',
  UnitFileState: 'masked',
}
const none = { Id: 'ngnix.service', LoadState: 'not-found', calendar: [], similar: ['nginx.service'] }
const timer = {
  ...nginx,
  Id: 'backup.timer',
  SubState: 'waiting',
  Unit: 'backup.service',
  calendar: ['*-*-* 03:00:00'],
}
const pi = (unit: object) => answeringTarget(unit)

describe('toHaveService', () => {
  test('judges whether it runs, is enabled, is masked', async () => {
    await expectPi(pi(nginx)).toHaveService('nginx', { running: true, enabled: true, masked: false })
    await expectPi(pi(failed)).toHaveService('nginx', { running: false, enabled: false })
    await expectPi(pi(masked)).toHaveService('nginx', { running: false, enabled: false, masked: true })
    await expectPi(pi({ ...nginx, ActiveState: 'reloading' })).toHaveService('nginx', { running: true })
    await expectPi(pi({ ...nginx, UnitFileState: 'static' })).toHaveService('nginx', { enabled: false })
    await expectPi(pi(failed)).not.toHaveService('nginx', { running: true })
    await expectPi(pi(none)).not.toHaveService('ngnix')
  })

  test('judges whether it was started since', async () => {
    const started = { ...nginx, startedAt: Date.UTC(2026, 10, 25, 12) }
    const [before, after] = [new Date(Date.UTC(2026, 10, 25, 11)), new Date(Date.UTC(2026, 10, 25, 13))]
    await expectPi(pi(started)).toHaveService('nginx', { restartedSince: before })
    await expectPi(pi(nginx)).not.toHaveService('nginx', { restartedSince: before })
    await expectPi(pi({ ...failed, startedAt: after.getTime() })).not.toHaveService('nginx', {
      restartedSince: before,
    })
    expect(
      await failure(() => expectPi(pi(started)).toHaveService('nginx', { restartedSince: after })),
    ).toContain(
      'Expected:  restarted since 2026-11-25T13:00:00.000Z\nReceived:  started at 2026-11-25T12:00:00.000Z',
    )
    expect(() => expectPi(pi(nginx)).toHaveService('nginx', { restartedSince: new Date('soon') })).toThrow(
      'restartedSince is no valid date',
    )
  })

  test('shows why a service failed', async () => {
    const assertion = () => expectPi(pi(failed)).toHaveService('nginx', { running: true, enabled: true })
    expect(await failure(assertion)).toMatchInlineSnapshot(`
      "expect(pi).toHaveService("nginx") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  running, enabled
      Received:  not running (failed), not enabled (disabled)

      nginx.service failed (exit code 1), its last lines:
        unknown directive "gzipp"
        configuration file /etc/nginx/nginx.conf test failed"
    `)
  })

  test('lists what has a like name', async () => {
    expect(
      await failure(() => expectPi(pi(none)).toHaveService('ngnix', { running: true })),
    ).toMatchInlineSnapshot(`
      "expect(pi).toHaveService("ngnix") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  running
      Received:  no such service

      Units with a like name:
        nginx.service"
    `)
  })

  test('tells what is there where it should not be', async () => {
    expect(await failure(() => expectPi(pi(nginx)).not.toHaveService('nginx'))).toMatchInlineSnapshot(`
      "expect(pi).not.toHaveService("nginx") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  no such service
      Received:  nginx.service: active, running, enabled"
    `)
  })
})

describe('toHaveTimer', () => {
  test('judges state, unit and times', async () => {
    const expected = { active: true, enabled: true, unit: 'backup.service', calendar: '*-*-* 03:00:00' }
    await expectPi(pi(timer)).toHaveTimer('backup', expected)
    await expectPi(pi(timer)).not.toHaveTimer('backup', { unit: 'other.service' })
  })

  test('shows the times that it has', async () => {
    const assertion = () => expectPi(pi(timer)).toHaveTimer('backup', { calendar: '*-*-* 04:00:00' })
    expect(await failure(assertion)).toMatchInlineSnapshot(`
      "expect(pi).toHaveTimer("backup") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  calendar *-*-* 04:00:00
      Received:  calendar *-*-* 03:00:00"
    `)
  })
})

describe('toHaveNoFailedUnits', () => {
  test('accepts that none failed, and units that may', async () => {
    await expectPi(pi({ units: [] })).toHaveNoFailedUnits()
    for (const name of ['nginx.service', 'nginx', /^nginx/])
      await expectPi(pi({ units: [failed] })).toHaveNoFailedUnits({ except: [name] })
    for (const name of ['nginx.timer', 'ngin', /^ngin$/])
      await expectPi(pi({ units: [failed] })).not.toHaveNoFailedUnits({ except: [name] })
    await expectPi(pi({ units: [failed] })).not.toHaveNoFailedUnits()
  })

  test('shows each failed unit and its last lines', async () => {
    expect(
      await failure(() => expectPi(pi({ units: [failed] })).toHaveNoFailedUnits()),
    ).toMatchInlineSnapshot(`
      "expect(pi).toHaveNoFailedUnits() failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  no failed unit
      Received:  nginx.service

      nginx.service failed (exit code 1), its last lines:
        unknown directive "gzipp"
        configuration file /etc/nginx/nginx.conf test failed"
    `)
    expect(await failure(() => expectPi(pi({ units: [] })).not.toHaveNoFailedUnits())).toMatchInlineSnapshot(`
      "expect(pi).not.toHaveNoFailedUnits() failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  a failed unit
      Received:  no failed unit"
    `)
  })
})
