import type { ConnectConsole } from './console-bridge.ts'

/** What a Pi starts from next, in the words of ipmi_sim: `default` is the disk, `none` is as ever. */
export type BootDevice = 'none' | 'pxe' | 'default' | 'cdrom' | 'bios'

/** What can be done to a chassis's power: `off` and `reset` at once, `soft` by asking its system to shut down. */
export type PowerAction = 'on' | 'off' | 'reset' | 'soft'

/** What a BMC switches. */
export interface Chassis {
  /** What it is now. Cheap, as it is asked for many times a second. */
  power(): 'on' | 'off'
  /** Whether it is gone for good, and cannot be switched any more. As cheap. */
  isLost(): boolean
  /**
   * Starts the action at once. Nobody waits for its end over IPMI, and the next may come before; where it fails, that is
   * logged. What is so already stays so: IPMI repeats requests whose answers are late.
   */
  set(action: PowerAction): Promise<void>
  bootDevice(): BootDevice
  setBootDevice(device: BootDevice): void
  /** Connects to the serial console: bytes both ways, for one client, which is the BMC as long as it lives. */
  connectConsole: ConnectConsole
}

export const bootDevices: readonly BootDevice[] = ['none', 'pxe', 'default', 'cdrom', 'bios']
