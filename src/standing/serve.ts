import { once } from 'node:events'
import { createServer } from 'node:net'
import { answer, openChannel } from '../lab/channel.ts'
import type { StandingFunctions } from './protocol.ts'
import type { StandingLab } from './standing-lab.ts'

/** What of a standing lab can be asked. */
type Served = Pick<StandingLab, 'list' | 'reset' | 'down' | 'power' | 'provision' | 'events'>

/** Lets the user's other processes ask `lab` on the unix socket `path`, whose directory must be the user's alone. */
export async function serveStanding(lab: Served, path: string): Promise<void> {
  const functions: StandingFunctions = {
    list: () => answer(async () => lab.list()),
    reset: (names) => answer(() => lab.reset(names)),
    down: (names) => answer(() => lab.down(names)),
    // What is not given comes as null.
    power: (name, action) => answer(() => lab.power(name, action ?? undefined)),
    provision: (name, action, image) =>
      answer(() => lab.provision(name, action ?? undefined, image ?? undefined)),
    events: (name) => answer(async () => lab.events(name)),
  }
  const server = createServer((socket) => {
    // Who asks must not keep a lab alive that has ended.
    socket.unref()
    openChannel<object, StandingFunctions>(socket, functions)
  })
  server.listen(path)
  await once(server, 'listening')
  server.unref()
}
