import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import type { Lease } from '../../../src/lab/protocol.ts'
import { Stand } from '../../../src/standing/stand.ts'

const spec = {
  ...{
    name: 'boreas',
    hostname: 'boreas',
    sshPort: 2222,
    image: 'debian-12-arm64',
    board: 'raspi3b' as const,
  },
  ...{ groups: ['cold'], vars: { direction: 'north' } },
}
const connection = {
  host: '127.0.0.1',
  port: 2222,
  user: 'pi',
  privateKeyFile: 'key',
  knownHostsFile: 'known',
}
const lease: Lease = {
  ...{ id: 1, queuedMs: 0 },
  pis: [
    {
      ...{
        number: 1,
        name: 'boreas',
        hostname: 'boreas',
        connection,
        controlPath: '/ssh',
        consoleFile: '/console',
      },
      ...{ origin: 'thawed', startedAt: 0, startMs: 4_000, spans: [], nics: [] },
    },
  ],
}

test('a Pi starts, is up, is off, is lost and starts anew', () => {
  const pi = new Stand(spec)
  expect(pi.status(false)).toMatchObject({ name: 'boreas', state: 'starting', sshPort: 2222 })
  expect(pi.ready()).toEqual([])
  pi.isUp(lease, 'thawed')
  expect(pi.status(false)).toMatchObject({ state: 'up', origin: 'thawed', connection })
  expect(pi.ready()).toEqual([
    { name: 'boreas', groups: ['cold'], vars: { direction: 'north' }, connection, controlPath: '/ssh' },
  ])
  expect(pi.status(true).state).toBe('off')
  pi.isLost(new RaspiError('boot', 'Pi boreas is lost: QEMU was killed', { evidence: 'the console' }))
  expect(pi.status(true)).toMatchObject({ state: 'lost', problem: 'QEMU was killed' })
  pi.starts()
  expect(pi.status(false)).toMatchObject({ state: 'starting' })
  expect(pi.status(false)).not.toHaveProperty('problem')
  expect(pi.events.map(({ text }) => text)).toEqual(['thawed', 'lost: QEMU was killed'])
})

test('one thing is done after the other, also where one has failed', async () => {
  const pi = new Stand(spec)
  const done: string[] = []
  const first = pi.inTurn(async () => {
    await delay(20)
    done.push('first')
    throw new Error('no')
  })
  const second = pi.inTurn(async () => void done.push('second'))
  await expect(first).rejects.toThrow('no')
  await second
  expect(done).toEqual(['first', 'second'])
})
