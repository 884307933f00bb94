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

/** Thaws a Pi on a network, with a machine in place of QEMU and what it is told in place of its guest. */
function aThaw(told: Promise<{ status: number; output: string }>, { returns = false } = {}) {
  const death = Promise.withResolvers<void>()
  const machine = {
    ...{ ended: death.promise, fate: () => 'QEMU was killed by SIGKILL', end: vi.fn(async () => {}) },
    ...{ setTimerSlack() {}, async plugNics() {}, async resume() {} },
    console: { tail: async () => 'the last line' },
  }
  vi.spyOn(Machine, 'start').mockResolvedValue(machine as unknown as Machine)
  const shell = { run: vi.fn((_: string) => told) }
  vi.spyOn(ServiceShell, 'attach').mockResolvedValue(shell as unknown as ServiceShell)
  const nic = { network: 'mgmt', mac: 'dc:a6:32:00:00:01', interface: 'eth1', address: '10.77.1.11/24' }
  const identity = newIdentity('pi-1', { nics: [nic], hosts: [] })
  const thawed = thaw({ board: boardOf('virt'), files: {} } as unknown as FrozenPi, identity, {
    ...{ place: {} as Place, card: 'card.qcow2', spans: new Spans('pi-1'), returns },
    nics: { mac: 'b8:27:eb:00:00:01' },
  })
  thawed.catch(() => {})
  return { thawed, machine, shell, die: death.resolve }
}

test('a QEMU that dies while its guest looks for its network is noticed at once, with the reason', async () => {
  const { thawed, machine, shell, die } = aThaw(new Promise(() => {}))
  await expect.poll(() => shell.run).toHaveBeenCalled()
  die()
  await expect(thawed).rejects.toThrow(
    'The Pi was lost while it was thawed: QEMU was killed by SIGKILL\nthe last line',
  )
  expect(machine.end).toHaveBeenCalled()
})

test.for([false, true])(
  'a NIC that does not come is missed, where it comes back (%s) too',
  async (returns) => {
    const output = 'NETWORK\nMISSING dc:a6:32:00:00:01'
    const { thawed, shell } = aThaw(Promise.resolve({ status: 0, output }), { returns })
    await expect(thawed).rejects.toThrow('The thawed Pi found not all its networks')
    expect(shell.run.mock.lastCall?.[0]).toContain('dc:a6:32:00:00:01=eth1')
  },
)
