import * as z from 'zod'

/** Why there is no Pi of a board that QEMU has. */
const refused: Record<string, string> = {
  raspi0: 'it runs 32-bit kernels only, and no image of the catalogue has one; raspi3b runs 32-bit programs',
  raspi1ap:
    'it runs 32-bit kernels only, and no image of the catalogue has one; raspi3b runs 32-bit programs',
  raspi2b: 'it runs 32-bit kernels only, and no image of the catalogue has one; raspi3b runs 32-bit programs',
  raspi4b:
    'QEMU has it from 9.0 on, but without Ethernet and PCIe, and its one USB port is what the system of a Pi 4 takes ' +
    "for a device's, so no NIC fits; { name: 'virt', memoryMiB: 4096, cores: 4 } stands in for it",
}

/** The boards that can be used, by QEMU's names. */
export const boardNames = ['raspi3b', 'raspi3ap', 'virt'] as const

/**
 * The board that QEMU emulates: its name, or `virt` with its sizes. What is missing and why:
 * https://www.qemu.org/docs/master/system/arm/raspi.html
 */
export const boardSchema = z.union(
  [
    z.enum(boardNames),
    z.strictObject({
      name: z.literal('virt'),
      /** 256 to 65536. @default 1024 */
      memoryMiB: z.int().min(256).max(65_536).default(1024),
      /** 1 to 8. @default 2 */
      cores: z.int().min(1).max(8).default(2),
    }),
  ],
  {
    error: ({ input }) => {
      const why = typeof input === 'string' ? refused[input] : undefined
      const sizes = "{ name: 'virt', memoryMiB: 256 to 65536, cores: 1 to 8 }"
      return why ? `${input} cannot be used: ${why}` : `Choose one of ${boardNames.join(', ')}, or ${sizes}`
    },
  },
)

/** What a user may choose as the board. */
export type BoardOption = z.input<typeof boardSchema>

/** QEMU's name of a board. */
export function nameOfBoard(board: BoardOption): string {
  return typeof board === 'string' ? board : board.name
}
