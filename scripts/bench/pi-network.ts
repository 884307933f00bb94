import { command, lease, withLab } from './lab.ts'
import { keep, type Results } from './results.ts'

/** How long one Pi sends to another in a round, in s. */
const roundSeconds = 5

const sink = `
import socket, time
server = socket.create_server(('', 5001))
print('listening', flush=True)
peer, _ = server.accept()
buffer, count, began = bytearray(65536), 0, time.monotonic()
while (n := peer.recv_into(buffer)): count += n
print(count / (time.monotonic() - began))
`

const source = (address: string) => `
import socket, time
peer = socket.create_connection(('${address}', 5001))
data, end = bytes(65536), time.monotonic() + ${roundSeconds}
while time.monotonic() < end: peer.sendall(data)
`

/** What one stream of TCP from a Pi to another on a network brings, in bytes a second. */
export async function measurePiNetwork(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  const names = ['a', 'b']
  await withLab({ readyPis: 0, maxPis: 2 }, say, async (lab) => {
    const leased = await lease(lab, {
      pis: names.map((name) => ({ name })),
      networks: {
        ...{ seed: 'bench', networks: [{ name: 'net' }] },
        pis: names.map((name) => ({ name, networks: ['net'] })),
      },
    })
    const [address = ''] = leased.pis[1]?.nics[0]?.address?.split('/') ?? []
    for (let round = 0; round < rounds; round++) {
      const receiving = command(leased, python(sink), 1)
      await command(
        leased,
        `for i in {1..20}; do ${python(source(address))} && exit; sleep 0.5; done; exit 1`,
      )
      const bytesPerSecond = Number((await receiving).split('\n')[1])
      keep(results, 'piNetwork', bytesPerSecond)
      say(`piNetwork: ${(bytesPerSecond / 1e6).toFixed(2)} MB/s`)
    }
  })
}

const python = (script: string) => `python3 -c "${script.trim()}"`
