import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Where a guest may look for a server: a line for {@link lookFor}. */
export interface Sought {
  kind: 'tcp' | 'udp'
  host: string
  port: number
}

/** TCP and UDP servers on free ports of this host, which answer whoever comes. They end with `await using`. */
export class HostServers implements AsyncDisposable {
  /** Who came, by what: `tcp`, `udp`. */
  readonly seen: string[] = []
  readonly #closing: (() => void)[] = []

  /** Starts one of each kind on an address, and gives their ports. */
  async listen(address: string): Promise<{ tcp: number; udp: number }> {
    const server = createServer((socket) => {
      this.seen.push('tcp')
      socket.on('error', () => {}).end('here')
    }).listen(0, address)
    await once(server, 'listening')
    const socket = createSocket('udp4')
    socket.on('message', (_, from) => {
      this.seen.push('udp')
      socket.send('here', from.port, from.address)
    })
    socket.bind(0, address)
    await once(socket, 'listening')
    this.#closing.push(
      () => server.close(),
      () => socket.close(),
    )
    const bound = server.address()
    return { tcp: typeof bound === 'object' && bound ? bound.port : 0, udp: socket.address().port }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closing) close()
  }
}

/** An address of this host that others know it by, where it has one. */
export const hostAddress = () =>
  Object.values(networkInterfaces())
    .flat()
    .find((found) => found?.family === 'IPv4' && !found.internal)?.address

/** A Python program that asks all of `sought` at the same time, and says who answered, a line each: `tcp 10.0.2.2:80`. */
export const lookFor = (sought: readonly Sought[]) => `
import socket, threading
def look(kind, host, port):
    with socket.socket(type=socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM) as to:
        to.settimeout(5)
        try:
            to.connect((host, port))
            # To a name server it asks for the address of the root; to others it is anything.
            to.send(bytes.fromhex('000101000001000000000000' '00' '00010001'))
            if to.recv(1):
                print(f'{kind} {host}:{port}', flush=True)
        except OSError:
            pass
for each in ${JSON.stringify(sought.map(({ kind, host, port }) => [kind, host, port]))}:
    threading.Thread(target=look, args=each).start()
`
