import { describe, expect, test } from 'vitest'
import { probe } from '../../../../src/pi/probes/probe.ts'
import type { CommandOptions } from '../../../../src/pi/probes/target.ts'
import { localTarget, target } from './local-target.ts'

const hosts = { kind: 'file', path: '/etc/hosts' } as const
const ok = (stdout: string) => ({ exitCode: 0, stdout, stderr: '' })
const answer = (root: boolean) => ok(`${JSON.stringify({ root, answers: [{ exists: true }] })}\n`)

describe('probe', () => {
  test('asks all that is asked in one tick in one round trip, and answers each by itself', async () => {
    const pi = localTarget()
    const both = Promise.all([
      probe(pi, [hosts, { kind: 'texts', patterns: ['/proc/sys/kernel/ostype'] }]),
      probe(pi, [{ kind: 'command', command: ['no-such-command'] }]).catch((error) => error.message),
    ])
    expect(await both).toMatchObject([
      [{ exists: true, type: 'file' }, { texts: { '/proc/sys/kernel/ostype': 'Linux\n' } }],
      // Who is not root here is told of that besides.
      expect.stringMatching(
        /^Could not look at command \["no-such-command"\] on boreas: there is no command no-such-command$/m,
      ),
    ])
    expect(pi.roundTrips).toBe(1)
  })

  test('asks again what is asked later', async () => {
    let roundTrips = 0
    const pi = target(async () => {
      roundTrips += 1
      return answer(true)
    })
    await probe(pi, [hosts])
    await probe(pi, [hosts])
    expect(roundTrips).toBe(2)
  })

  test('asks each Pi for itself', async () => {
    const [boreas, notos] = [true, false].map((root) => target(async () => answer(root)))
    if (!boreas || !notos) throw new Error('unreachable')
    const answers = await Promise.all([probe(boreas, [hosts]), probe(notos, [hosts])])
    expect(answers).toMatchObject([[{ root: true }], [{ root: false }]])
  })

  test('asks without root where sudo does not work, and says so', async () => {
    const asked: (boolean | undefined)[] = []
    const pi = target(async (_command, { sudo }: CommandOptions = {}) => {
      asked.push(sudo)
      return sudo ? { exitCode: 1, stdout: '', stderr: 'sudo: a password is required\n' } : answer(false)
    })
    expect(await probe(pi, [hosts])).toEqual([{ exists: true, root: false }])
    expect(asked).toEqual([true, undefined])
  })

  test('passes over what a login shell prints before the answer', async () => {
    const pi = target(async () => ok(`Welcome {to} boreas\n${answer(true).stdout}`))
    expect(await probe(pi, [hosts])).toEqual([{ exists: true, root: true }])
  })

  test('says what to install where there is no Python', async () => {
    const pi = target(async () => ({ exitCode: 127, stdout: '', stderr: 'sh: 1: python3: not found\n' }))
    await expect(probe(pi, [hosts])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [RaspiError: Could not look at boreas: it has no python3
        The matchers for a Pi need Python 3.9 or later on it: install the package python3.
      sh: 1: python3: not found]
    `)
  })

  test('fails every query of the round trip where the Pi cannot be reached', async () => {
    const pi = target(() => Promise.reject(new Error('no route to boreas')))
    const both = await Promise.allSettled([probe(pi, [hosts]), probe(pi, [hosts])])
    expect(both.map((one) => one.status === 'rejected' && one.reason.message)).toEqual([
      'no route to boreas',
      'no route to boreas',
    ])
  })

  test('hands over any text unharmed', async () => {
    const path = '/tmp/"\'\\\n\u2028ü\u0000😀 $(id)'.replace('\u0000', '')
    const [found] = await probe(localTarget(), [
      { kind: 'command', command: ['printf', '%s', `${path}'''"""`] },
    ])
    expect(found.stdout).toBe(`${path}'''"""`)
  })
})
