import { expect, test } from 'vitest'
import { boardOf } from '../../../src/machine/boards.ts'
import { Machine } from '../../../src/machine/machine.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aPlace } from './fake-place.ts'

test('a machine whose guest QEMU has stopped because its disk is full ends, and says so', async () => {
  const { place, tell } = aPlace(scratchDir())
  const machine = await Machine.start({ board: boardOf('virt'), card: 'card.qcow2' }, place)
  const about = { device: 'card', operation: 'write', nospace: true, reason: 'No space left on device' }
  // The guest is told of such an error, and QEMU goes on.
  tell('BLOCK_IO_ERROR', { ...about, reason: 'Input/output error', action: 'report' })
  tell('BLOCK_IO_ERROR', { ...about, action: 'stop' })
  expect(await machine.ended).toBe('crashed')
  expect(machine.fate()).toBe(
    "its card's file could not be used, is its disk full? QEMU says: No space left on device",
  )
})
