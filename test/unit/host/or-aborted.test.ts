import { expect, test } from 'vitest'
import { orAborted } from '../../../src/host/or-aborted.ts'

test('work is waited for until its signal aborts', async () => {
  const { signal } = new AbortController()
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1)
  await expect(orAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  const never = new Promise<never>(() => {})
  const stop = new AbortController()
  const waiting = orAborted(never, stop.signal)
  stop.abort(new Error('given up'))
  await expect(waiting).rejects.toThrow('given up')
  await expect(orAborted(never, stop.signal)).rejects.toThrow('given up')
})
