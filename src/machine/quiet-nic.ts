import { setTimeout as delay } from 'node:timers/promises'
import { Gdb } from './gdb.ts'
import type { Machine } from './machine.ts'

/** The USB controller's pending interrupts and those that the guest wants: DWC2's GINTSTS and GINTMSK. */
const pendingInterrupts = 0x3f980014
const wantedInterrupts = 0x3f980018
/** The bit of both for the start of a frame, which is every millisecond. */
const startOfFrame = 1 << 3

/** How often it is tried, and how long the guest runs between two looks at it, in ms: some frames. */
const tries = 40
const runMs = 12
/** How many looks in a row have to find the interrupt unwanted, which it is for a moment between two transfers, too. */
const looks = 4

/**
 * Lets the guest of a running Pi no longer be told at each millisecond that its NIC is plugged in, and gives whether that
 * has come about. QEMU's usb-net answers every question for its status (hw/usb/dev-network.c, usb_net_handle_statusin), where
 * a device without news would not; Linux asks again as soon as it has an answer (drivers/net/usb/usbnet.c, intr_complete):
 * a thousand transfers a second, which cost an emulated Pi 0.4 of a core of the host, and its guest much of what it has.
 *
 * A transfer of that kind begins with the interrupt for the start of a frame, which Linux wants only while one waits for it
 * (drivers/usb/dwc2/hcd_queue.c, dwc2_hcd_qh_add). Where the guest is kept from that interrupt in such a moment, the
 * transfer waits for ever, and all others go on as they do on a bus without such a device. A guest that takes its NIC down
 * and up begins anew. Never throws: what does not come about only costs time.
 */
export async function quietNic(machine: Machine): Promise<boolean> {
  try {
    const gdb = await machine.whileStill(() => Gdb.connect(machine.place))
    try {
      let quiet = 0
      for (let count = 0; count < tries && quiet < looks; count++) {
        await delay(runMs + (count % 5))
        quiet = await machine.whileStill(async () => {
          const wanted = await gdb.readWord(wantedInterrupts)
          if (!(wanted & startOfFrame)) return quiet + 1
          // One that is pending is on its way to the guest already.
          if (!((await gdb.readWord(pendingInterrupts)) & startOfFrame))
            await gdb.writeWord(wantedInterrupts, wanted & ~startOfFrame)
          return 0
        })
      }
      return quiet === looks
    } finally {
      gdb.leave()
    }
  } catch {
    return false
  }
}
