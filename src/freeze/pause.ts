import { setTimeout as delay } from 'node:timers/promises'
import { RaspiError } from '../errors.ts'
import { Gdb } from '../machine/gdb.ts'
import type { Machine } from '../machine/machine.ts'

/** What is pending for each of the four cores, at the controller of BCM2836 and its successors: QA7, 4.10. */
const interruptSources = [0x40000060, 0x40000064, 0x40000068, 0x4000006c]
const boardsWithIt = /^raspi(2b|3)/

/** How often it is tried. An idle guest is between interrupts nearly always. */
const tries = 200

/**
 * Pauses a machine at a moment at which no interrupt is pending. QEMU does not save the lines that lead to the interrupt
 * controller (hw/intc/bcm2836_control.c: `timerirqs` and `gpu_irq` are not in its state), so that a core whose timer has
 * just gone off would wait for ever for an interrupt that no thawed copy ever gets. Throws a `RaspiError` where there is
 * no such moment.
 */
export async function pauseBetweenInterrupts(machine: Machine): Promise<void> {
  await machine.pause()
  if (!boardsWithIt.test(machine.spec.board.name)) return
  const gdb = await Gdb.connect(machine.place)
  try {
    for (let count = 0; count < tries; count++) {
      const pending = []
      for (const address of interruptSources) pending.push(await gdb.readWord(address))
      if (pending.every((sources) => sources === 0)) return
      await machine.resume()
      await delay(5 + (count % 20))
      await machine.pause()
    }
    throw new RaspiError('freeze', `The Pi was never between two interrupts, in ${tries} looks at it`)
  } finally {
    // Not by the protocol's farewell, which lets the machine go on.
    gdb.leave()
  }
}
