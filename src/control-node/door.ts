import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import * as z from 'zod'
import type { Needs } from '../ansible/elsewhere.ts'
import type { ContainerProcess } from '../engine/docker/exec.ts'
import { messageOf } from '../errors.ts'
import { firstLine, type Welcome } from './first-line.ts'

/** What a stand-in says first, as a line of JSON. */
export const needsSchema = z.object({
  ports: z.array(z.int().min(1).max(65_535)).default([]),
  files: z.array(z.string()).default([]),
  results: z.array(z.string()).default([]),
})

/** Where commands are run for stand-ins. */
export interface Workplace {
  /** Sees to it that a command there finds what it needs. */
  bring(needs: Required<Needs>): Promise<void>
  /** Starts remote.py. */
  start(): Promise<ContainerProcess>
  /** Fetches what it has made. */
  take(results: readonly string[]): Promise<void>
}

/** Lets stand-ins start commands at `workplace` through the unix socket `path`. */
export async function openDoor(path: string, workplace: Workplace): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => void serve(socket, workplace))
  server.listen(path)
  await once(server, 'listening')
  server.unref()
  return server
}

async function serve(socket: Socket, workplace: Workplace): Promise<void> {
  socket.on('error', () => {})
  const say = (welcome: Welcome) => socket.write(`${JSON.stringify(welcome)}\n`)
  try {
    const line = await firstLine(socket)
    const needs = needsSchema.parse(JSON.parse(line))
    await workplace.bring(needs)
    const remote = await workplace.start()
    if (socket.destroyed) return remote.leave()
    say({})
    // A stand-in that was killed says nothing: its end is told by the end of what remote.py reads.
    socket.once('close', () => remote.leave())
    remote.stderr.resume()
    socket.pipe(remote.stdin)
    remote.stdout.pipe(socket, { end: false })
    await Promise.race([once(remote.stdout, 'close'), once(socket, 'close')])
    // Before its end, which tells the stand-in that everything is there.
    if (!socket.destroyed) await workplace.take(needs.results)
  } catch (error) {
    say({ error: messageOf(error) })
  }
  socket.end()
}
