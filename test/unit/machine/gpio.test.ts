import { expect, test } from 'vitest'
import { readGpio, words } from '../../../src/machine/gpio.ts'
import type { Machine } from '../../../src/machine/machine.ts'

const machine = (name: string, answers: Record<string, string>) =>
  ({
    spec: { board: { name } },
    qmp: { monitor: async (command: string) => answers[command] ?? '' },
  }) as unknown as Machine

test('a pin has the function and the level that the registers say', async () => {
  const pins = await readGpio(
    machine('raspi3b', {
      // GPIO 17 is an output, 14 and 15 the UART's, as a Pi has them.
      'xp /6wx 1059061760':
        '000000003f200000: 0x00000000 0x00224000 0x00000000 0x00000000\r\n000000003f200010: 0x24000000 0x00000924\r\n',
      'xp /2wx 1059061812': '000000003f200034: 0x00020000 0x00000001\r\n',
    }),
  )
  expect(pins).toHaveLength(54)
  expect(pins[17]).toEqual({ gpio: 17, function: 'output', level: 'high' })
  expect(pins[14]).toEqual({ gpio: 14, function: 'alt0', level: 'low' })
  expect(pins[32]?.level).toBe('high')
  expect(pins[53]?.function).toBe('alt0')
})

test('a board without the controller is an error', async () => {
  await expect(readGpio(machine('virt', {}))).rejects.toThrow('The board virt has no GPIO controller')
})

test('the monitor’s addresses are no words', () => {
  expect(words('000000003f200000: 0x00000001\n')).toEqual([1])
})
