import { EventEmitter } from 'node:events'
import { vi } from 'vitest'
import type { Machine } from '../../../src/machine/machine.ts'
import type { CardLimits } from '../../../src/pi/faults.ts'

/** A machine without a process: it knows what was done to it. */
export function aQemu() {
  const qemu = Object.assign(new EventEmitter(), {
    ...{
      hasEnded: false,
      isPaused: false,
      sshPort: async () => 1,
      setTimerSlack() {},
      fate: (): string => '',
    },
    ...{
      limitCard: vi.fn(async (_: CardLimits) => {}),
      quietNics: vi.fn(async () => {}),
      console: { tail: async () => '' },
    },
    async pause() {
      qemu.isPaused = true
    },
    async end() {
      qemu.hasEnded = true
    },
  })
  return qemu as typeof qemu & Machine
}
