import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { type BirpcReturn, createBirpc } from 'birpc'
import { isRaspiError, messageOf, RaspiError } from '../errors.ts'
import type { Answer } from './protocol.ts'

/** Calls each other's functions through a socket, a line of JSON each. Calls have no time limit: a boot takes its time. */
export function openChannel<Remote extends object, Local extends object>(
  socket: Socket,
  functions: Local,
): BirpcReturn<Remote, Local> {
  const lines = createInterface({ input: socket })
  lines.on('error', () => {})
  socket.on('error', () => {})
  const channel = createBirpc<Remote, Local>(functions, {
    post: (message) => void socket.write(`${message}\n`),
    on: (receive) => void lines.on('line', receive),
    serialize: JSON.stringify,
    deserialize: JSON.parse,
    timeout: -1,
  })
  socket.on('close', () => {
    if (!channel.$closed) channel.$close(new RaspiError('lab', 'The lab has ended.'))
  })
  return channel
}

/** Turns what `work` gives or throws into an answer. */
export async function answer<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    const known = isRaspiError(error)
      ? error
      : new RaspiError('lab', `The lab failed: ${messageOf(error)}`, {
          evidence: error instanceof Error ? error.stack : undefined,
        })
    return { error: known.toJSON() }
  }
}

/** Gives an answer's value or throws its error. */
export function openAnswer<T>(answered: Answer<T>): T {
  if ('error' in answered) throw RaspiError.from(answered.error)
  return answered.value
}
