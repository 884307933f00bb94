import type { Board } from './boards.ts'

/** What a Pi is, for those who choose by it. */
export interface Hardware {
  cpus: number
  memoryMiB: number
  /** The size of its card. */
  diskGiB: number
}

const GiB = 1024 ** 3

/** The hardware of `board` with a card of so many bytes. A Pi has four cores. */
export function hardwareOf({ processor, memoryMiB }: Board, cardBytes: number): Hardware {
  return { cpus: processor?.cores ?? 4, memoryMiB, diskGiB: Math.ceil(cardBytes / GiB) }
}
