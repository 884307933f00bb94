import { expect, test } from 'vitest'
import { kernelCommandLine } from '../../../src/firmware/command-line.ts'

const board = { serial0: 'ttyAMA0', kernelParameters: ['usbcore.autosuspend=-1'] }
const lineOf = (text: string | undefined, deviceTree = '') =>
  kernelCommandLine(board, { file: 'cmdline.txt', text, deviceTree })

test.for([
  ['console=serial0,115200 root=/dev/mmcblk0p2\n', 'console=ttyAMA0,115200 root=/dev/mmcblk0p2'],
  ['root=/dev/mmcblk0p2 console=serial0', 'root=/dev/mmcblk0p2 console=ttyAMA0'],
  ['console=serial01 kgdboc=serial0 myconsole=serial0', 'console=serial01 kgdboc=serial0 myconsole=serial0'],
  ['console=tty1 console=serial0,115200 quiet', 'console=tty1 console=ttyAMA0,115200 quiet'],
  ['a="b  c"  d\r\n', 'a="b  c"  d'],
] as const)('%j becomes %j', ([text, expected]) => {
  expect(lineOf(text)).toEqual({ commandLine: `${expected} usbcore.autosuspend=-1`, notEmulated: [] })
})

test("the device tree's own arguments come first", () => {
  expect(lineOf('quiet', '8250.nr_uarts=1 ').commandLine).toBe('8250.nr_uarts=1 quiet usbcore.autosuspend=-1')
})

test('lines behind the first are left out and told', () => {
  expect(lineOf('quiet\n\nsplash\ndebug\n')).toEqual({
    commandLine: 'quiet usbcore.autosuspend=-1',
    notEmulated: ['cmdline.txt: only its first line counts, not splash debug'],
  })
})

test.for([
  [undefined, 'missing'],
  ['  \n', 'blank'],
] as const)("%j gets the firmware's own command line, and that is told", ([text, what]) => {
  const { commandLine, notEmulated } = lineOf(text)
  expect(commandLine).toMatch(
    /^console=ttyAMA0,115200 console=tty1 root=\/dev\/mmcblk0p2 rootfstype=ext4 rootwait /,
  )
  expect(notEmulated).toEqual([
    expect.stringContaining(`cmdline.txt is ${what}: the kernel gets console=serial0`),
  ])
})
