import { expect, test } from 'vitest'
import { boards, virt } from '../../../src/machine/boards.ts'
import { hardwareOf } from '../../../src/machine/hardware.ts'

test('a Pi has four cores, virt has what it was given, and a card what the image has', () => {
  expect(hardwareOf(boards.raspi3b, 4 * 1024 ** 3)).toEqual({ cpus: 4, memoryMiB: 1024, diskGiB: 4 })
  expect(hardwareOf(virt(2048, 2, 'tcg'), 3.5 * 1024 ** 3)).toEqual({ cpus: 2, memoryMiB: 2048, diskGiB: 4 })
})
