import { join } from 'node:path'
import type { LabEntry } from '../../../src/standing/registry.ts'

/** An entry of a lab whose socket is in `dir`, with `given` in place of what is usual. */
export function entryOf(dir: string, given: Partial<LabEntry> & Pick<LabEntry, 'process'>): LabEntry {
  return {
    ...{
      socket: join(dir, `socket-${given.process.pid}`),
      since: '2026-11-25T10:00:00.000Z',
      detached: true,
    },
    ...{ image: 'debian-12-arm64', board: 'raspi3b', pis: [{ name: 'boreas', sshPort: 2222 }] },
    ...given,
  }
}
