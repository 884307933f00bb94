import { expect, test } from 'vitest'
import type { LentPi } from '../../../src/lab/protocol.ts'
import { Pi, type PiControl } from '../../../src/pi/pi.ts'

const connection = { host: '127.0.0.1', port: 2222, user: 'pi', privateKeyFile: 'k', knownHostsFile: 'h' }

test('what a node is told comes to its lab, and who holds its connection knows its new user', async () => {
  const asked: unknown[] = []
  const control = {
    async provision(...words: unknown[]) {
      asked.push(words)
      const user = words[1] === 'deploy' ? 'ada' : 'pi'
      return { state: 'available', connection: { ...connection, user }, origin: 'booted', startMs: 7 }
    },
  } as unknown as PiControl
  const lent = { number: 3, name: 'compute00', connection: { ...connection } } as LentPi
  const pi = new Pi(lent, new AbortController().signal, control)
  const held = pi.connection

  expect(await pi.provision.state()).toBe('available')
  await pi.provision.provide()
  expect(await pi.provision.deploy({ image: 'raspios-lite-arm64' })).toEqual({ origin: 'booted', startMs: 7 })
  expect(held).toEqual({ ...connection, user: 'ada' })
  await pi.provision.clean()
  expect(asked).toEqual([
    [3, undefined, undefined],
    [3, 'provide', undefined],
    [3, 'deploy', 'raspios-lite-arm64'],
    [3, 'clean', undefined],
  ])
})

test('with a Pi that has been given back nothing is begun', async () => {
  const control = { provision: () => Promise.reject(new Error('asked')) } as unknown as PiControl
  const signal = AbortSignal.abort(new Error('given back'))
  const pi = new Pi({ number: 3, name: 'compute00', connection } as LentPi, signal, control)
  await expect(pi.provision.deploy()).rejects.toThrow('given back')
  await expect(pi.pause()).rejects.toThrow('given back')
})
