import { expect, test } from 'vitest'
import { parseFdt } from '../../../src/firmware/fdt.ts'
import { modelOf } from '../../../src/firmware/models.ts'
import { mappedOverlay } from '../../../src/firmware/overlays.ts'
import { blobOf } from './trees.ts'

const none = Buffer.alloc(0)
const map = parseFdt(
  blobOf({
    'vc4-kms-v3d': { bcm2835: none, bcm2711: 'vc4-kms-v3d-pi4' },
    uart5: { bcm2711: none },
    'pi3-disable-bt': { renamed: 'disable-bt' },
    'lirc-rpi': { deprecated: 'use gpio-ir' },
  }),
)

test.for([
  ['disable-bt', 'raspi3b', 'disable-bt'],
  ['vc4-kms-v3d', 'raspi3b', 'vc4-kms-v3d'],
  ['vc4-kms-v3d', 'raspi4b', 'vc4-kms-v3d-pi4'],
  ['pi3-disable-bt', 'raspi3b', 'disable-bt'],
  ['uart5', 'raspi4b', 'uart5'],
] as const)('%s is on %s the overlay %s', ([name, board, expected]) => {
  expect(mappedOverlay(map, name, modelOf({ name: board }))).toBe(expected)
})

test('without a map an overlay is the one of its name', () => {
  expect(mappedOverlay(undefined, 'uart5', modelOf({ name: 'raspi3b' }))).toBe('uart5')
})

test('an overlay for another model is none', () => {
  expect(() => mappedOverlay(map, 'uart5', modelOf({ name: 'raspi3b' }))).toThrow('it is not for bcm2835')
  expect(() => mappedOverlay(map, 'lirc-rpi', modelOf({ name: 'raspi3b' }))).toThrow('use gpio-ir')
})
