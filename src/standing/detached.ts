// The process of a detached lab. It takes the request from the process that has started it, tells that one of its
// progress, and lives on without it once it is ready.
import { once } from 'node:events'
import { isRaspiError, messageOf, RaspiError } from '../errors.ts'
import { holdLab } from './hold.ts'
import type { DetachedMessage, StandingRequest } from './protocol.ts'
import { Registry } from './registry.ts'

const tell = (message: DetachedMessage) => {
  // What happens later goes into the log.
  if (process.connected) process.send?.(message)
  else if ('line' in message) log(message.line)
}
const log = (line: string) => console.log(`${new Date().toISOString()} ${line}`)

// Whoever has started it and is gone before it is ready does not want it any more.
const deserted = () => process.kill(process.pid, 'SIGTERM')
process.on('disconnect', deserted)

try {
  const [request] = (await once(process, 'message')) as [StandingRequest]
  const why = await holdLab(
    request,
    {
      registry: new Registry(),
      detached: true,
      log: (line) => tell({ line }),
      claimed: (names) => tell({ claimed: names }),
      up: (name, startMs) => tell({ up: name, startMs }),
    },
    () => {
      process.off('disconnect', deserted)
      tell({ ready: true })
    },
  )
  log(why)
} catch (error) {
  const known = isRaspiError(error) ? error : new RaspiError('lab', `The lab failed: ${messageOf(error)}`)
  log(known.message)
  tell({ failed: known.toJSON() })
  process.exitCode = 1
} finally {
  if (process.connected) process.disconnect()
}
