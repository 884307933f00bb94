import { expect, test } from 'vitest'
import { PiSources, type PiSourcesContext } from '../../../src/lab/pi-sources.ts'

test('what could not be had is tried anew for who may ask again, and for nobody else', async () => {
  let asked = 0
  const engine = async () => {
    asked++
    throw new Error('no QEMU here')
  }
  const sources = new PiSources({ engine, options: {} } as unknown as PiSourcesContext)
  for (let turn = 0; turn < 2; turn++)
    await expect(sources.tryImage('debian-12-arm64', 'raspi3b')).rejects.toThrow('no QEMU here')
  expect(asked).toBe(2)
  for (let turn = 0; turn < 2; turn++)
    await expect(sources.ofImage('debian-12-arm64', 'raspi3b')).rejects.toThrow('no QEMU here')
  expect(asked).toBe(3)
})
