import type { Board } from '../machine/boards.ts'

/**
 * What the firmware says to the kernel where cmdline.txt is missing or blank, but for kgdboc:
 * https://github.com/raspberrypi/firmware/issues/1551, https://github.com/raspberrypi/linux/issues/119
 */
const builtIn = 'console=serial0,115200 console=tty1 root=/dev/mmcblk0p2 rootfstype=ext4 rootwait'

/**
 * The kernel's command line on `board`: the device tree's own arguments first, which QEMU would drop, then the one line
 * of cmdline.txt, then what the kernel must know because the board is emulated. `console=serial0` becomes the board's
 * first UART. What a real Pi's firmware adds besides (`vc_mem.mem_base=…`, `smsc95xx.macaddr=…`) describes hardware that
 * is not there and is left out.
 * https://www.raspberrypi.com/documentation/computers/configuration.html#kernel-command-line-cmdline-txt
 */
export function kernelCommandLine(
  board: Pick<Board, 'serial0' | 'kernelParameters'>,
  { file, text, deviceTree }: { file: string; text: string | undefined; deviceTree: string },
): { commandLine: string; notEmulated: string[] } {
  const notEmulated: string[] = []
  const [first = '', ...others] = (text ?? '').split(/\r?\n/).map((line) => line.trim())
  if (first === '')
    notEmulated.push(`${file} is ${text === undefined ? 'missing' : 'blank'}: the kernel gets ${builtIn}`)
  const ignored = others.filter(Boolean)
  if (ignored.length > 0) notEmulated.push(`${file}: only its first line counts, not ${ignored.join(' ')}`)

  const wanted = (first || builtIn).replace(/(?<=^|\s)console=serial0(?=,|\s|$)/g, `console=${board.serial0}`)
  const parts = [deviceTree.trim(), wanted, ...board.kernelParameters]
  return { commandLine: parts.filter(Boolean).join(' '), notEmulated }
}
