import { toFirstCommand, withLab } from './lab.ts'
import { keep, type Results, seconds } from './results.ts'

/** One, two and four Pis that are wanted at the same moment, none kept ready: until the last has run its first command. */
export async function measureParallel(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  await withLab({ readyPis: 0, maxPis: 4 }, say, async (lab) => {
    await lab.release((await toFirstCommand(lab)).lease.id)
    for (let round = 0; round < rounds; round++) {
      for (const count of [1, 2, 4] as const) {
        const started = performance.now()
        const all = await Promise.all(Array.from({ length: count }, () => toFirstCommand(lab)))
        const ms = performance.now() - started
        keep(results, `parallel${count}`, ms)
        say(`${count} at once: ${seconds(ms)}`)
        for (const { lease } of all) await lab.release(lease.id)
      }
    }
  })
}
