import { describe, expect, test } from 'vitest'
import { answeringTarget, localTarget, target } from '../../pi/probes/local-target.ts'
import { expectPi, failure, pollPi } from './expect-pi.ts'

describe('a matcher on a Pi', () => {
  test('shares its round trip with the others of its tick', async () => {
    const pi = localTarget()
    await Promise.all([
      expectPi(pi).toHaveFile('/etc/passwd', { type: 'file' }),
      expectPi(pi).toHaveUser('root', { uid: 0, home: '/root' }),
      expectPi(pi).toHaveGroup('root', { gid: 0, members: ['root'] }),
      expectPi(pi).not.toListenOn(1),
      expectPi(pi).toHaveSysctl('kernel.ostype', 'Linux'),
    ])
    expect(pi.roundTrips).toBe(1)
  })

  test('asks again until it is so, with expect.poll', async () => {
    const states = ['activating', 'activating', 'active']
    const pi = () => answeringTarget({ Id: 'a.service', LoadState: 'loaded', ActiveState: states.shift() })
    await pollPi(pi, { interval: 1 }).toHaveService('a', { running: true })
    expect(states).toEqual([])
  })

  test('is refused to what is not a Pi', async () => {
    expect(await failure(async () => expectPi('boreas').toHaveFile('/etc/hosts'))).toMatchInlineSnapshot(
      `"toHaveFile can be used only with a Pi, was called with "boreas""`,
    )
    expect(await failure(async () => expectPi(undefined).not.toHaveFile('/etc/hosts'))).toMatchInlineSnapshot(
      `"toHaveFile can be used only with a Pi, was called with undefined"`,
    )
  })

  test('refuses an option that it does not know', async () => {
    const slip = { owned: 'root' } as object
    expect(
      await failure(async () => expectPi(localTarget()).toHaveFile('/etc/hosts', slip)),
    ).toMatchInlineSnapshot(`
      "toHaveFile can't be used like this: it knows no option "owned"
        It knows mode, owner, group, content, contains, type, target."
    `)
  })

  test('refuses an argument more than it takes', async () => {
    const asked = expectPi(localTarget()) as unknown as Record<string, (...args: unknown[]) => Promise<void>>
    expect(
      await failure(async () => asked.toHaveTimezone?.('UTC', { persistent: true })),
    ).toMatchInlineSnapshot(`
      "toHaveTimezone can't be used like this: it does not take {"persistent":true}
        It takes 1 argument."
    `)
    expect(await failure(async () => asked.toHaveFile?.('/etc/hosts', {}, 'more'))).toMatchInlineSnapshot(`
      "toHaveFile can't be used like this: it does not take "more"
        It takes 2 arguments."
    `)
    expect(await failure(async () => asked.toHaveNoFailedUnits?.({}, 'cron'))).toMatchInlineSnapshot(`
      "toHaveNoFailedUnits can't be used like this: it does not take "cron"
        It takes 1 argument."
    `)
    await asked.toHaveFile?.('/etc/hosts', undefined, undefined)
  })

  test('refuses options that are none, and takes no subject for them', async () => {
    const [word, list] = ['running', ['cron']] as unknown[] as object[]
    expect(
      await failure(async () => expectPi(localTarget()).toHaveService('cron', word)),
    ).toMatchInlineSnapshot(`
      "toHaveService can't be used like this: its options are an object, and not "running"
        It knows running, enabled, masked, restartedSince."
    `)
    expect(
      await failure(async () => expectPi(localTarget()).toHaveNoFailedUnits(list)),
    ).toMatchInlineSnapshot(`
      "toHaveNoFailedUnits can't be used like this: its options are an object, and not ["cron"]
        It knows except."
    `)
    await expectPi(localTarget()).not.toHaveCronJob(/no such command/)
  })

  test('tells that it was asked without root', async () => {
    const stdout = JSON.stringify({ root: false, answers: [{ exists: false, others: ['pi'] }] })
    const pi = target(async () => ({ exitCode: 0, stdout, stderr: '' }))
    expect(
      await failure(() => expectPi(pi, 'the role').toHaveUser('deploy', { uid: 1001 })),
    ).toMatchInlineSnapshot(`
      "the role: expect(pi).toHaveUser("deploy") failed

      Pi:        boreas (127.0.0.1:40022), asked without root's rights
      Expected:  uid 1001
      Received:  no such user

      Users:
        pi"
    `)
  })

  test('fails, also negated, where the Pi cannot tell', async () => {
    const pi = answeringTarget({ error: 'System has not been booted with systemd\nHost is down' })
    expect(await failure(() => expectPi(pi).not.toHaveService('nginx'))).toMatchInlineSnapshot(`
      "Could not look at unit "nginx.service" on boreas: System has not been booted with systemd
      Host is down"
    `)
  })

  test('tells what it expected where it is negated', async () => {
    const pi = answeringTarget({ exists: true, gid: 999, members: ['pi'] })
    expect(await failure(() => expectPi(pi).not.toHaveGroup('docker'))).toMatchInlineSnapshot(`
      "expect(pi).not.toHaveGroup("docker") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  no such group
      Received:  a group, gid 999"
    `)
    expect(await failure(() => expectPi(pi).not.toHaveGroup('docker', { gid: 999 }))).toMatchInlineSnapshot(`
      "expect(pi).not.toHaveGroup("docker") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  not gid 999
      Received:  gid 999"
    `)
    expect(
      await failure(() => expectPi(pi).not.toHaveGroup('docker', { gid: 999, members: ['pi'] })),
    ).toMatchInlineSnapshot(`
      "expect(pi).not.toHaveGroup("docker") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  not all of: gid 999, members pi
      Received:  gid 999, members pi"
    `)
  })
})
