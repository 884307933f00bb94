import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** How often a BMC that does not answer yet is asked, in ms. */
const patienceMs = 50

/** The ports that BMCs of this process have. */
const taken = new Set<number>()

/**
 * Gives a UDP port of 127.0.0.1 that nobody has, and that no other BMC of this process gets before {@link giveBack}.
 * ipmi_sim shares its port with whoever is willing to share, so it does not notice by itself when two have the same one.
 */
export async function takePort(): Promise<number> {
  for (;;) {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    socket.close()
    await once(socket, 'close')
    if (taken.has(port)) continue
    taken.add(port)
    return port
  }
}

/** Gives ports as {@link takePort} does, but `first` comes first where no BMC of this process has it. */
export function portsFrom(first: number | undefined): () => Promise<number> {
  let wanted = first
  return async () => {
    const port = wanted
    wanted = undefined
    if (port === undefined || taken.has(port)) return takePort()
    taken.add(port)
    return port
  }
}

/** Lets others have `port`. */
export function giveBack(port: number): void {
  taken.delete(port)
}

/**
 * The GUID, in hex, of the BMC on `port` of 127.0.0.1, as soon as one answers: Get System GUID, which needs no session
 * (IPMI 2.0, 22.14). Rejects with the reason of `signal`.
 */
export async function askGuid(port: number, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const socket = createSocket('udp4')
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const giveUp = () => reject(signal.reason)
  signal.addEventListener('abort', giveUp)
  socket.on('message', (message, from) => {
    const guid = guidIn(message)
    if (guid && from.port === port) resolve(guid)
  })
  // Nobody is there yet: the next request tells.
  socket.on('error', () => {})
  const ask = () => socket.send(guidRequest, port, '127.0.0.1', () => {})
  const timer = setInterval(ask, patienceMs)
  ask()
  try {
    return await promise
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', giveUp)
    socket.close()
  }
}

/** RMCP for IPMI; no authentication, sequence number or session; then from 0x81 to 0x20, application: Get System GUID. */
const guidRequest = Buffer.from(
  ['0600ff07', '00', '00000000', '00000000', '07', '2018c8', '810037', '48'].join(''),
  'hex',
)

/** Of an answer without an error: headers of 14 and 6 bytes, the completion code, the GUID, a checksum. */
function guidIn(message: Buffer): string | undefined {
  const isAnswer = message.length >= 38 && message[3] === 0x07 && message[19] === 0x37 && message[20] === 0
  return isAnswer ? message.subarray(21, 37).toString('hex') : undefined
}
