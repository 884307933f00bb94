import { expect, test } from 'vitest'
import { partitionTable } from '../../../src/image/card.ts'

test('the boot part begins at 4 MiB and the root part follows it to the end of the card', () => {
  const MiB = 1024 * 1024
  const layout = { diskId: '0a0b0c0d', cardBytes: 4096 * MiB, bootStartBytes: 4 * MiB, bootBytes: 256 * MiB }
  expect(partitionTable(layout).split('\n')).toEqual([
    'label: dos',
    'label-id: 0x0a0b0c0d',
    'unit: sectors',
    '',
    'start=8192, size=524288, type=c',
    'start=532480, type=83',
    '',
  ])
})
