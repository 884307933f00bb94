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
      hardware: { cpus: 4, memoryMiB: 1024, diskGiB: 4 },
    },
  ],
}

test('a Pi starts, is up, is off, is lost and starts anew', () => {
  const pi = new Stand(spec)
  const [on, off] = [{ power: 'on' } as const, { power: 'off' } as const]
  expect(pi.status(on)).toMatchObject({ name: 'boreas', state: 'starting', sshPort: 2222 })
  expect(pi.ready()).toEqual([])
  pi.isUp(lease, 'thawed')
  expect(pi.status(on)).toMatchObject({ state: 'up', power: 'on', origin: 'thawed', connection })
  expect(pi.status(on)).not.toHaveProperty('provision')
  expect(pi.ready()).toEqual([
    { name: 'boreas', groups: ['cold'], vars: { direction: 'north' }, connection, controlPath: '/ssh' },
  ])
  expect(pi.status(off)).toMatchObject({ state: 'off', power: 'off' })
  pi.isLost(new RaspiError('boot', 'Pi boreas is lost: QEMU was killed', { evidence: 'the console' }))
  expect(pi.status(off)).toMatchObject({ state: 'lost', problem: 'QEMU was killed' })
  pi.starts()
  expect(pi.status(on)).toMatchObject({ state: 'starting' })
  expect(pi.status(on)).not.toHaveProperty('problem')
  expect(pi.events.map(({ text }) => text)).toEqual(['thawed', 'lost: QEMU was killed'])
})

test('a node tells how far it has come, what is on its card, and what it is reached by', () => {
  const pi = new Stand(spec)
  const bmc = { host: '127.0.0.1', port: 40_623, user: 'u', password: 'p' }
  const nics = [{ network: 'mgmt', mac: 'dc:a6:32:00:00:01', interface: 'eth1', address: '10.77.1.11/24' }]
  pi.isUp({ ...lease, pis: lease.pis.map((lent) => ({ ...lent, bmc, nics })) }, 'enrolled')
  expect(pi.status({ power: 'off', provision: 'enroll' })).toMatchObject({
    ...{ state: 'off', provision: 'enroll', image: 'debian-12-arm64', bmc, nics },
  })
  // It cannot be logged in to yet.
  expect(pi.status({ power: 'on', provision: 'deploying' }).state).toBe('starting')
  pi.image = 'raspios-lite-arm64'
  expect(pi.status({ power: 'on', provision: 'active' })).toMatchObject({
    ...{ state: 'up', image: 'raspios-lite-arm64' },
  })
  expect(pi.ready()[0]?.vars).toEqual({
    ...{ direction: 'north', raspi_bmc: bmc },
    raspi_networks: { mgmt: { mac: 'dc:a6:32:00:00:01', interface: 'eth1', address: '10.77.1.11' } },
  })
  pi.starts()
  expect(pi.status({ power: 'on' }).image).toBe('debian-12-arm64')
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
