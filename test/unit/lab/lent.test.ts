import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Bmc } from '../../../src/bmc/bmc.ts'
import { lent } from '../../../src/lab/lent.ts'
import type { LivePi } from '../../../src/lab/live-pi.ts'
import { boards } from '../../../src/machine/boards.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

test('a holder is told what a Pi is and has, and nothing of how the lab talks to it', () => {
  const path = join(scratchDir(), 'image')
  writeFileSync(path, '')
  const nic = { network: 'mgmt', mac: 'dc:a6:32:00:00:01', interface: 'eth1' }
  const aPi = (power: 'on' | 'off') =>
    ({
      ...{ number: 3, startMs: 4_000, machine: { power }, spans: { all: [] } },
      identity: { hostname: 'pi-3', networks: { nics: [{ ...nic, socket: '/secret' }] } },
      source: { board: boards.raspi3b, image: { path }, frozen: { coldBootMs: 55_000 } },
    }) as unknown as LivePi
  const bmc = { host: '127.0.0.1', port: 623, user: 'u', password: 'p', close: async () => {} } as Bmc
  expect(lent(aPi('on'), 'boreas', bmc)).toMatchObject({
    ...{ number: 3, name: 'boreas', hostname: 'pi-3', coldBootMs: 55_000, nics: [nic] },
    hardware: { cpus: 4, memoryMiB: 1024, diskGiB: 0 },
    bmc: { host: '127.0.0.1', port: 623, user: 'u', password: 'p' },
  })
  expect(JSON.stringify(lent(aPi('on'), 'boreas', bmc))).not.toContain('/secret')
  // Who was not started has saved no time.
  expect(lent(aPi('off'), 'boreas').coldBootMs).toBeUndefined()
})
