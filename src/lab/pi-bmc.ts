import { type Bmc, type BmcConnection, startBmc } from '../bmc/bmc.ts'
import type { BootDevice, Chassis, PowerAction } from '../bmc/chassis.ts'
import { machineFiles } from '../machine/command-line.ts'
import type { LivePi } from './live-pi.ts'

/** Starts the BMC of a Pi, with its files in `dir`; `as` an earlier one was reached. Throws as {@link startBmc} does. */
export function startPiBmc(
  pi: LivePi,
  options: {
    name: string
    dir: string
    as?: BmcConnection | undefined
    log: (line: string) => void
    signal: AbortSignal
  },
): Promise<Bmc> {
  return startBmc({ ...options, chassis: new PiChassis(pi) })
}

/**
 * A Pi as its BMC switches it. The boot device is kept and told, but the Pi boots from its card whatever it is: QEMU has
 * none of the firmware that would boot from elsewhere.
 */
class PiChassis implements Chassis {
  readonly #pi: LivePi
  #device: BootDevice = 'none'

  constructor(pi: LivePi) {
    this.#pi = pi
  }

  power() {
    return this.#pi.power.state
  }

  isLost() {
    return this.#pi.machine.isLost
  }

  async set(action: PowerAction): Promise<void> {
    const ours = { on: 'on', off: 'cut', reset: 'reset', soft: 'off' } as const
    // IPMI repeats what is answered late, and switches off what is off.
    if (action === 'soft' && this.power() === 'off' && !this.isLost()) return
    await this.#pi.changePower(ours[action])
  }

  bootDevice() {
    return this.#device
  }

  setBootDevice(device: BootDevice) {
    this.#device = device
  }

  async connectConsole() {
    const { place } = this.#pi.machine
    if (this.power() === 'off') return undefined
    return place.connect(`${place.dir}/${machineFiles.serial}`, AbortSignal.timeout(1_000))
  }
}
