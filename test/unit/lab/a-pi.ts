import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { PiMachine } from '../../../src/lab/pi-machine.ts'
import { PiPower } from '../../../src/lab/pi-power.ts'
import { boards } from '../../../src/machine/boards.ts'
import { Door } from '../../../src/machine/door.ts'
import { HostPlace } from '../../../src/machine/host-place.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

/** A place on a host without QEMU. */
export function aPlace(dir: string) {
  const tools = { qemu: 'no-qemu', qemuVersion: '7.2.22', qemuImg: 'no-qemu-img' }
  return new HostPlace(dir, { path: '/none/card.raw', format: 'raw' }, tools, () => {})
}

/** What there is of a Pi before QEMU is started. */
export async function aPi() {
  const dir = scratchDir()
  const door = await Door.open({ port: 0 })
  const connection = {
    ...{ host: '127.0.0.1', port: door.port, user: 'pi' },
    ...{ privateKeyFile: 'key', knownHostsFile: 'known' },
  }
  const context = {
    ...{ hostname: 'compute00', board: boards.raspi3b, nics: { mac: 'b8:27:eb:00:00:01' } },
    ...{ signal: new AbortController().signal, notEmulated: () => {} },
  }
  const machine = new PiMachine(context, aPlace(dir), door, connection, join(dir, 'ssh'))
  const power = new PiPower(machine)
  onTestFinished(() => power.end())
  return { machine, power, door }
}

/** Why `door` sends a caller away. */
export async function refusalAt(door: Door): Promise<string | undefined> {
  const heard = await text(connect(door.port, '127.0.0.1'))
  return /Pi compute00 is off[^\0]*/.exec(heard)?.[0]
}
