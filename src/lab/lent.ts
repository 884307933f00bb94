import type { Bmc } from '../bmc/bmc.ts'
import { hardwareOf } from '../machine/hardware.ts'
import type { LivePi } from './live-pi.ts'
import type { LentPi } from './protocol.ts'

/** What its holder is told of a Pi. */
export function lent(pi: LivePi, name: string, bmc?: Bmc): LentPi {
  const { number, identity, connection, controlPath, consoleFile, origin, startedAt, startMs, spans } = pi
  return {
    ...{ number, name, hostname: identity.hostname, connection, controlPath, consoleFile, origin },
    ...{ startedAt, startMs, spans: spans.all },
    // One that has not been started has saved no time.
    coldBootMs: pi.power.state === 'on' ? pi.source.frozen?.coldBootMs : undefined,
    hardware: hardwareOf(pi.source.board, pi.source.image.cardBytes),
    nics: (identity.networks?.nics ?? []).map(({ network, mac, interface: name, address, dhcp }) => {
      return { network, mac, interface: name, address, ...(dhcp && { dhcp }) }
    }),
    bmc: bmc && { host: bmc.host, port: bmc.port, user: bmc.user, password: bmc.password },
  }
}
