import { RaspiError } from '../errors.ts'
import type { Spans } from '../host/spans.ts'
import { makeCard } from '../machine/card.ts'
import { Gdb } from '../machine/gdb.ts'
import { Machine } from '../machine/machine.ts'
import type { Nics } from '../machine/nics.ts'
import type { Place, Priority } from '../machine/place.ts'
import { ServiceShell } from '../machine/service-shell.ts'
import { missingNics } from './guest-networks.ts'
import { type Identity, identityScript, returnScript } from './identity.ts'
import { migrateIn } from './migrate.ts'
import type { FrozenPi } from './store.ts'

/** A frozen Pi that runs again, with its network up. */
export interface ThawedPi {
  machine: Machine
  /** Its root shell, still open: whoever hands the Pi out closes it. */
  shell: ServiceShell
}

/**
 * How late QEMU's timers may be until the Pi is handed over, in ms. Its USB controller has one that is due a thousand times a
 * second and more, which costs the processors more than all else where several Pis start at once: on two cores four starts
 * took 4.3 times as long as one, and 5.9 times with exact timers (medians of nine). What goes over the NIC waits for it, so
 * that a megabyte takes 30 s instead of 6; a login is as fast.
 */
const startSlackMs = 2

/** How long a thawed guest may take to find its network, in ms. */
const networkTimeoutMs = 60_000

/**
 * Lets a copy of `frozen` run, with a card and an identity of its own, and gives it once its network is up. What it
 * writes goes to a new overlay at `card`, its RAM is a private copy-on-write mapping of the frozen file.
 * Its timers may be late until whoever hands it out says otherwise.
 * Throws a `RaspiError` where it does not come to life; nothing of it is left then.
 */
export async function thaw(
  frozen: FrozenPi,
  identity: Identity,
  {
    place,
    card,
    signal,
    priority,
    hurry,
    spans,
    nics,
    returns = false,
  }: {
    place: Place
    /** Where its card is to be, at the place. */
    card: string
    signal?: AbortSignal | undefined
    priority?: Priority | undefined
    /** Aborts when somebody begins to wait for it: it is not in the background any more then. */
    hurry?: AbortSignal | undefined
    spans: Spans
    nics: Nics
    /** Whether it was frozen with this very identity, which its card has already. @default false */
    returns?: boolean
  },
): Promise<ThawedPi> {
  await makeCard(place, { path: frozen.files.card, format: 'qcow2' }, card)
  const machine = await Machine.start(
    {
      ...{ board: frozen.board, card },
      memory: { file: frozen.files.ram, mode: 'copy-on-write' },
      incoming: true,
    },
    place,
    { priority, signal },
  )
  machine.setTimerSlack(startSlackMs)
  spans.end("QEMU's start")
  if (hurry?.aborted) machine.comeForward()
  else hurry?.addEventListener('abort', () => machine.comeForward(), { once: true })
  try {
    await migrateIn(machine, frozen.files.state)
    if (frozen.board.parts === 'raspi') await reattachCard(machine)
    spans.end('state and card')
    await machine.plugNics(nics)
    await machine.resume()
    const shell = await ServiceShell.attach(place)
    const script = returns ? returnScript(identity) : identityScript(identity, newKeyOf(frozen))
    const run = shell.run(script, { timeoutMs: networkTimeoutMs, signal })
    run.catch(() => {})
    const done = await Promise.race([run, machine.ended.then(() => undefined)])
    signal?.throwIfAborted()
    if (!done) {
      throw new RaspiError('freeze', `The Pi was lost while it was thawed: ${machine.fate()}`, {
        evidence: await machine.console.tail(),
      })
    }
    const { output } = done
    spans.end('identity and network')
    const missing = missingNics(output).length > 0
    if (output.includes('NETWORK') && !missing) {
      await machine.quietNics()
      spans.end('quiet NIC')
      // Nobody waits for it any more.
      signal?.throwIfAborted()
      return { machine, shell }
    }
    throw new RaspiError(
      'freeze',
      `The thawed Pi found ${missing ? 'not all its networks' : 'no network'} within ${networkTimeoutMs / 1000} s`,
      {
        evidence: [output, await machine.console.tail(40)].filter(Boolean).join('\n'),
      },
    )
  } catch (error) {
    await machine.end()
    throw error
  }
}

const newKeyOf = ({ newKey, image }: FrozenPi) => (newKey ? { user: image.user, key: newKey } : undefined)

/** The function-select registers of GPIO 40-49 and 50-59: BCM2835 ARM Peripherals, 6.1. */
const GPFSEL4 = 0x3f200010
const GPFSEL5 = 0x3f200014
/** The fields of GPIO 48-49 in the first and 50-53 in the second, three bits a pin: the SD card's lines. */
const cardPins4 = 0x3f << 24
const cardPins5 = 0xfff

/**
 * Puts the card back where the guest left it. QEMU restores the pins' functions, but not which of the two controllers
 * the card hangs on (hw/gpio/bcm2835_gpio.c has no post_load), so that the guest would see it removed. Clearing the
 * pins and setting them again moves it.
 */
async function reattachCard(machine: Machine): Promise<void> {
  const gdb = await Gdb.connect(machine.place)
  try {
    const [pins4, pins5] = [await gdb.readWord(GPFSEL4), await gdb.readWord(GPFSEL5)]
    await gdb.writeWord(GPFSEL4, pins4 & ~cardPins4)
    await gdb.writeWord(GPFSEL5, pins5 & ~cardPins5)
    await gdb.writeWord(GPFSEL4, pins4)
    await gdb.writeWord(GPFSEL5, pins5)
  } finally {
    await gdb.close()
  }
}
