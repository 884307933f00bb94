// One end of what `switch.ts` measures: `node switch-peer.ts sender|receiver SOCKET`.
import { connect } from 'node:net'

const [role, path = ''] = process.argv.slice(2)
const payload = 1_500
const headBytes = 4
/** How much is sent at once, and how much may be under way, in frames. */
const [blockFrames, windowFrames] = [40, 120]
const addresses = { sender: Buffer.from('b827eb000001', 'hex'), receiver: Buffer.from('b827eb000002', 'hex') }

const link = connect(path)
link.on('error', () => process.exit())
link.on('close', () => process.exit())
process.on('disconnect', () => process.exit())

function frame(from: Buffer, to: Buffer, payloadBytes: number): Buffer {
  const bytes = Buffer.alloc(headBytes + 14 + payloadBytes)
  bytes.writeUInt32BE(bytes.length - headBytes)
  bytes.set(to, headBytes)
  bytes.set(from, headBytes + 6)
  bytes.writeUInt16BE(0x0800, headBytes + 12)
  return bytes
}

const data = frame(addresses.sender, addresses.receiver, payload)
const answer = frame(addresses.receiver, addresses.sender, 46)

if (role === 'receiver') {
  let bytes = 0
  let answered = 0
  link.on('connect', () => {
    // The switch learns where we are.
    link.write(answer)
    process.send?.('ready')
  })
  link.on('data', (chunk) => {
    bytes += chunk.length
    for (; bytes - answered >= blockFrames * data.length; answered += blockFrames * data.length) {
      link.write(answer)
    }
  })
  process.on('message', () => process.send?.(Math.floor(bytes / data.length) * (data.length - headBytes)))
} else {
  const block = Buffer.concat(Array<Buffer>(blockFrames).fill(data))
  let underWay = 0
  let answers = 0
  const send = () => {
    for (; underWay + blockFrames <= windowFrames; underWay += blockFrames) link.write(block)
  }
  link.on('connect', send)
  link.on('data', (chunk) => {
    answers += chunk.length
    for (; answers >= answer.length; answers -= answer.length) underWay -= blockFrames
    send()
  })
}
