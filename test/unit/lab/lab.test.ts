import { expect, test, vi } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import { aPi, labOf, requestOf } from './fake-pis.ts'

const { signal } = new AbortController()

test('Pis of which one cannot be handed over are ended, once all have been tried, and others get their places', async () => {
  const ended: number[] = []
  const end = (number: number) => async () => void ended.push(number)
  const { promise: handedOver, resolve } = Promise.withResolvers<void>()
  const late = new RaspiError('boot', "The Pi's service shell did not finish within 10 s")
  const lab = labOf([
    aPi(1, { handOver: () => Promise.reject(late), end: end(1) }),
    aPi(2, { handOver: () => handedOver, end: end(2) }),
    aPi(3),
  ])
  const lease = lab.lease(requestOf(2), signal, () => {})
  await vi.waitFor(() => expect(lab.held).toHaveLength(1))
  expect(ended).toEqual([])
  resolve()
  await expect(lease).rejects.toBe(late)
  expect(ended).toEqual([1, 2])
  expect([lab.held, lab.free]).toEqual([[], 2])
  await expect(lab.lease(requestOf(1), signal, () => {})).resolves.toMatchObject({ pis: [{ number: 3 }] })
})
