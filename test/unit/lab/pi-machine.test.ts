import { expect, test } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import { aPi, refusalAt } from './a-pi.ts'
import { aQemu } from './fake-qemu.ts'

test('a slow card is slow on each machine that is started on it, until it is mended', async () => {
  const { machine: pi } = await aPi()
  const [first, second, third] = [aQemu(), aQemu(), aQemu()]
  await pi.adopt(first)
  expect(first.limitCard).not.toHaveBeenCalled()
  await pi.fault({ card: { bytesPerSecond: 200_000 } })
  expect(first.limitCard).toHaveBeenCalledWith({ bytesPerSecond: 200_000 })
  await pi.adopt(second)
  expect(second.limitCard).toHaveBeenCalledWith({ bytesPerSecond: 200_000 })
  // It is mended at the end of a test that has left it off, too.
  Object.assign(second, { hasEnded: true })
  await pi.fault({ card: {} })
  await pi.adopt(third)
  expect(third.limitCard).not.toHaveBeenCalled()
  await pi.fault({ card: { operationsPerSecond: 10 } })
  expect(third.limitCard).toHaveBeenCalledWith({ operationsPerSecond: 10 })
})

test('one without power hangs no more, and cannot be made to', async () => {
  const { machine: pi, power } = await aPi()
  const qemu = aQemu()
  await pi.adopt(qemu)
  await pi.fault({ hangs: true })
  await power.cut()
  await pi.fault({ hangs: false })
  await expect(pi.fault({ hangs: true })).rejects.toThrow('Pi compute00 is off')
})

test('who comes to one that was lost is told so', { timeout: 10_000 }, async () => {
  const { machine, door } = await aPi()
  const qemu = aQemu()
  await machine.adopt(qemu)
  qemu.hasEnded = true
  qemu.emit('end', 'crashed')
  await new Promise<RaspiError>((resolve) => machine.whenLost(resolve))
  expect(await refusalAt(door)).toBe('Pi compute00 is off: it was lost')
})

test('whatever it is lost by is told as an error of ours, which names it', async () => {
  const lossBy = async (reason: unknown) => {
    const { machine } = await aPi()
    machine.lose(reason)
    return new Promise<RaspiError>((resolve) => machine.whenLost(resolve))
  }
  const full = new Error('ENOSPC: no space left on device')
  expect(await lossBy(full)).toMatchObject({
    shortMessage: 'Pi compute00 is lost: ENOSPC: no space left on device',
    cause: full,
  })
  const ours = new RaspiError('boot', 'Pi compute00 did not come back from its checkpoint')
  expect(await lossBy(ours)).toBe(ours)
})
