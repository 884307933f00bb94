import { createWriteStream, fstatSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { doorVariable, needsVariable } from '../ansible/elsewhere.ts'
import { firstLine, type Welcome } from './first-line.ts'
import { channels, Frames, type Order } from './frames.ts'
import { kinds } from './kinds.ts'

// One of Ansible's programs, to whoever starts it: its command line, working directory, input, output, events and exit code are
// those of the program in the container, and a signal that it gets is for that.

/** As ssh does it where it is itself what failed. */
const lost = 255

/** What is of this host, and not for the program. */
const notForwarded = ['PATH', 'PWD', 'OLDPWD', 'SHLVL', '_', doorVariable, needsVariable]

async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const socket = connect({ path: env[doorVariable] ?? '', allowHalfOpen: true })
  socket.on('error', () => {})
  socket.write(`${env[needsVariable] ?? '{}'}\n`)
  const welcome: Welcome = await firstLine(socket).then(JSON.parse, () => ({ error: gone }))
  if (welcome.error !== undefined) {
    process.stderr.write(`${welcome.error}\n`)
    return lost
  }
  let exitCode: number | undefined
  const ended = Promise.withResolvers<void>()
  const frames = new Frames(
    socket,
    socket,
    ({ kind, payload }) => {
      if (kind === kinds.exit) exitCode = payload.readUInt32BE(0)
    },
    ended.resolve,
  )
  const events = eventsOf(env)
  const order: Order = {
    ...{ args, cwd: process.cwd(), umask: process.umask(), events: events ?? null },
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) =>
        value === undefined || notForwarded.includes(name) ? [] : [[name, value] as const],
      ),
    ),
  }
  frames.send(kinds.begin, 0, Buffer.from(JSON.stringify(order)))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(constants.signals[signal])
    process.on(signal, () => frames.send(kinds.signal, 0, number))
  }
  process.stdin.on('error', () => {})
  process.stdin.pipe(frames.channel(channels.stdin))
  await Promise.all([
    passed(frames, channels.stdout, process.stdout),
    passed(frames, channels.stderr, process.stderr),
    events === undefined ? undefined : passed(frames, channels.events, opened(events)),
    ended.promise,
  ])
  if (exitCode === undefined) process.stderr.write(`${gone}\n`)
  return exitCode ?? lost
}

const gone = 'The container that Ansible runs in is gone.'

/** Writes what a channel gives to `output` until it ends, or nobody reads there any more. */
async function passed(frames: Frames, number: number, output: Writable): Promise<void> {
  const channel = frames.channel(number)
  output.on('error', () => channel.destroy())
  channel.pipe(output, { end: false })
  await finished(channel, { writable: false }).catch(() => {})
  // Until all of it is written.
  await new Promise((resolve) => output.write('', resolve))
}

/** The descriptor of the callback plugin's events. */
function eventsOf({ VITEST_RASPI_CALLBACK: place }: NodeJS.ProcessEnv): number | undefined {
  return place === undefined ? undefined : JSON.parse(place).fd
}

function opened(fd: number): Writable {
  const stats = fstatSync(fd)
  return stats.isFIFO() || stats.isSocket() ? new Socket({ fd }) : createWriteStream('', { fd })
}

process.exit(await main(process.argv.slice(2), process.env))
