import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import { PiSources, type PiSourcesContext } from '../../../src/lab/pi-sources.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

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

test('what could not be had is looked for once more when tests are run again', async () => {
  let isThere = false
  const given = async () => {
    if (!isThere) throw new RaspiError('image', 'There is no file pi.img')
    return { image: {}, board: {} }
  }
  const engine = { losses: 0, isHere: false, given }
  const sources = new PiSources({
    ...{ engine: async () => engine, options: { freeze: true }, cacheDir: scratchDir(), place: {} },
    ...{ runDir: { path: '/nowhere' }, notEmulated: () => {} },
  } as unknown as PiSourcesContext)
  const asked = () => sources.ofImage('./pi.img', 'raspi3b')
  await expect(asked()).rejects.toThrow('There is no file')
  isThere = true
  await expect(asked()).rejects.toThrow('There is no file')
  sources.lookAnew()
  await turn()
  const found = await asked()
  sources.lookAnew()
  await turn()
  expect(await asked()).toBe(found)
})

test('what was made before the engine lost a part of itself is looked for once more', async () => {
  let given = 0
  const engine = {
    ...{ losses: 0, isHere: false },
    given: async () => {
      given++
      if (given === 2) throw new RaspiError('lab', 'the engine that froze it is gone')
      return { image: {}, board: {} }
    },
  }
  const sources = new PiSources({
    ...{ engine: async () => engine, options: { freeze: true }, cacheDir: scratchDir(), place: {} },
    ...{ runDir: { path: '/nowhere' }, notEmulated: () => {} },
  } as unknown as PiSourcesContext)
  const first = await sources.ofImage('debian-12-arm64', 'raspi3b')
  expect(await sources.ofImage('debian-12-arm64', 'raspi3b')).toBe(first)
  engine.losses = 1
  for (let turn = 0; turn < 2; turn++)
    await expect(sources.ofImage('debian-12-arm64', 'raspi3b')).rejects.toThrow('is gone')
  engine.losses = 2
  expect(await sources.ofImage('debian-12-arm64', 'raspi3b')).not.toBe(first)
  expect(given).toBe(3)
})
