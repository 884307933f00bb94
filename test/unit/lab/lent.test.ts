import { expect, test } from 'vitest'
import { lent } from '../../../src/lab/lent.ts'
import type { LivePi } from '../../../src/lab/live-pi.ts'
import { boards } from '../../../src/machine/boards.ts'

test('a Pi from a container image is lent without a card of its image on this host', () => {
  const pi = {
    ...{ number: 1, identity: { hostname: 'pi-1' }, origin: 'thawed', startedAt: 0, startMs: 1 },
    ...{ spans: { all: [] }, power: { state: 'on' } },
    source: { board: boards.raspi3b, image: { path: '', cardBytes: 4 * 1024 ** 3 } },
  } as unknown as LivePi
  expect(lent(pi, 'boreas')).toMatchObject({
    ...{ name: 'boreas', hostname: 'pi-1' },
    hardware: { cpus: 4, memoryMiB: 1024, diskGiB: 4 },
  })
})
