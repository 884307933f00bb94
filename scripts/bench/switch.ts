import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Segment } from '../../src/network/segment.ts'
import { keep, type Results } from './results.ts'

/** How long one round is measured, and how long it runs before, in ms. */
const roundMs = 2_000
const warmUpMs = 500

/**
 * What the switch between Pis carries by itself, in bytes a second: full Ethernet frames from one unix socket to another,
 * whose other ends are in processes of their own. The sender keeps no more under way than the receiver has confirmed, as
 * TCP does, so that what is counted has arrived.
 */
export async function measureSwitch(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const { bytesPerSecond, busy, lost } = await measureRound()
    keep(results, 'switch', bytesPerSecond)
    const [rate, share] = [(bytesPerSecond / 1e6).toFixed(0), (busy * 100).toFixed(0)]
    say(`switch: ${rate} MB/s, itself busy for ${share} % of the time, ${lost} frames lost`)
  }
}

async function measureRound(): Promise<{ bytesPerSecond: number; busy: number; lost: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'raspi-bench-'))
  const segment = Segment.open({ name: 'bench', dir })
  const peers: ChildProcess[] = []
  try {
    const receiver = start('receiver', (await segment.port('receiver')).path)
    peers.push(receiver)
    await once(receiver, 'message')
    peers.push(start('sender', (await segment.port('sender')).path))
    await delay(warmUpMs)
    const [began, bytes, load] = [performance.now(), await countOf(receiver), loadNow()]
    await delay(roundMs)
    const received = (await countOf(receiver)) - bytes
    const ms = performance.now() - began
    const { dropped } = segment.statistics().receiver ?? {}
    return {
      bytesPerSecond: (received / ms) * 1_000,
      busy: performance.eventLoopUtilization(load).utilization,
      lost: dropped?.queue ?? 0,
    }
  } finally {
    for (const peer of peers) peer.kill('SIGKILL')
    await segment.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const loadNow = () => performance.eventLoopUtilization()

function start(role: string, path: string): ChildProcess {
  return fork(new URL('./switch-peer.ts', import.meta.url), [role, path])
}

/** How many bytes of frames have arrived. */
async function countOf(receiver: ChildProcess): Promise<number> {
  receiver.send('count')
  const [count] = await once(receiver, 'message')
  return count
}
