import { connect } from 'node:net'
import type { BootDevice, Chassis, PowerAction } from '../../../src/bmc/chassis.ts'

/** A chassis that switches at once and notes what it was told. */
export class FakeChassis implements Chassis {
  state: 'on' | 'off' = 'off'
  boot: BootDevice = 'none'
  lost = false
  socket: string | undefined
  readonly told: string[] = []

  power(): 'on' | 'off' {
    return this.state
  }

  isLost(): boolean {
    return this.lost
  }

  async set(action: PowerAction): Promise<void> {
    this.told.push(action)
    if (action === 'on') this.state = 'on'
    else if (action !== 'reset') this.state = 'off'
  }

  bootDevice(): BootDevice {
    return this.boot
  }

  setBootDevice(device: BootDevice): void {
    this.told.push(`boot ${device}`)
    this.boot = device
  }

  async connectConsole() {
    return this.socket === undefined ? undefined : connect(this.socket)
  }
}
