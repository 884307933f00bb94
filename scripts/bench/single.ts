import { setTimeout as delay } from 'node:timers/promises'
import { measureCopyBoot } from './copy-boot.ts'
import { toFirstCommand, withLab } from './lab.ts'
import { keep, type Measured, type Results, seconds } from './results.ts'

/** The ways to have one Pi, in turn, each to its first command. */
export async function measureSingle(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  const noteOf = (what: Measured, ms: number) => {
    keep(results, what, ms)
    say(`${what}: ${seconds(ms)}`)
  }
  // What the cache lacks is made before anything is measured.
  await withLab({ readyPis: 0 }, say, async (lab) => void (await toFirstCommand(lab)))
  for (let round = 0; round < rounds; round++) {
    noteOf('copyBoot', await measureCopyBoot(say))
    await withLab({ freeze: false }, say, async (lab) => {
      const { ms, lease } = await toFirstCommand(lab)
      noteOf('coldBoot', ms)
      results.spans.coldBoot = lease.pis[0]?.spans ?? []
    })
    await withLab({ readyPis: 0 }, say, async (lab) => {
      // The first lease of a lab reads and checks the whole frozen Pi, which a run does once.
      await lab.release((await toFirstCommand(lab)).lease.id)
      for (let turn = 0; turn < 2; turn++) {
        const { ms, lease } = await toFirstCommand(lab)
        noteOf('thaw', ms)
        results.spans.thaw = lease.pis[0]?.spans ?? []
        await lab.release(lease.id)
      }
    })
    await withLab({ readyPis: 1 }, say, async (lab) => {
      await lab.release((await toFirstCommand(lab)).lease.id)
      for (let turn = 0; turn < 3; turn++) {
        while (lab.ready < 1) await delay(100)
        const { ms, lease } = await toFirstCommand(lab)
        noteOf('readyLease', ms)
        results.spans.readyLease = lease.pis[0]?.spans ?? []
        await lab.release(lease.id)
      }
    })
  }
}
