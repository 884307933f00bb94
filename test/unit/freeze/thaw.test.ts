import { expect, test, vi } from 'vitest'
import { newIdentity } from '../../../src/freeze/identity.ts'
import type { FrozenPi } from '../../../src/freeze/store.ts'
import { thaw } from '../../../src/freeze/thaw.ts'
import { Spans } from '../../../src/host/spans.ts'
import { boardOf } from '../../../src/machine/boards.ts'
import { Machine } from '../../../src/machine/machine.ts'
import type { Place } from '../../../src/machine/place.ts'
import { ServiceShell } from '../../../src/machine/service-shell.ts'

vi.mock('../../../src/machine/card.ts', () => ({ makeCard: async () => {} }))
vi.mock('../../../src/freeze/migrate.ts', () => ({ migrateIn: async () => {} }))

test('a QEMU that dies while its guest looks for its network is noticed at once, with the reason', async () => {
  const death = Promise.withResolvers<void>()
  const machine = {
    ...{ ended: death.promise, fate: () => 'QEMU was killed by SIGKILL', end: vi.fn(async () => {}) },
    ...{ setTimerSlack() {}, async plugNics() {}, async resume() {} },
    console: { tail: async () => 'the last line' },
  }
  vi.spyOn(Machine, 'start').mockResolvedValue(machine as unknown as Machine)
  const shell = { run: vi.fn(() => new Promise<never>(() => {})) }
  vi.spyOn(ServiceShell, 'attach').mockResolvedValue(shell as unknown as ServiceShell)
  const thawed = thaw({ board: boardOf('virt'), files: {} } as unknown as FrozenPi, newIdentity('pi-1'), {
    ...{ place: {} as Place, card: 'card.qcow2', spans: new Spans('pi-1') },
    nics: { mac: 'b8:27:eb:00:00:01' },
  })
  thawed.catch(() => {})
  await vi.waitFor(() => expect(shell.run).toHaveBeenCalled())
  death.resolve()
  await expect(thawed).rejects.toThrow(
    'The Pi was lost while it was thawed: QEMU was killed by SIGKILL\nthe last line',
  )
  expect(machine.end).toHaveBeenCalled()
})
