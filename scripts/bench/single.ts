import { setTimeout as delay } from 'node:timers/promises'
import type { RaspiOptions } from '../../src/options.ts'
import { measureCopyBoot } from './copy-boot.ts'
import { toFirstCommand, withLab } from './lab.ts'
import { keep, type Measured, type Results, seconds } from './results.ts'

/** Measures something of a Pi and keeps it. */
type Measure = (results: Results, rounds: number, say: (line: string) => void) => Promise<void>

/** The ways to have one Pi, in turn, each to its first command. */
export const measureSingle: Measure = (results, rounds, say) =>
  inTurn(rounds, say, [
    async () => keepAndSay(results, 'copyBoot', await measureCopyBoot(say), say),
    () => boots('coldBoot', {}, results, say),
    () => thaws('thaw', {}, results, say),
    () => readyLeases('readyLease', {}, results, say),
  ])

/** The same on the board that is no Pi. */
export const measureVirt: Measure = (results, rounds, say) => {
  const options: RaspiOptions = { board: { name: 'virt', memoryMiB: 2048, cores: 2 } }
  return inTurn(
    rounds,
    say,
    [
      () => boots('virtColdBoot', options, results, say),
      () => thaws('virtThaw', options, results, say),
      () => readyLeases('virtReadyLease', options, results, say),
    ],
    options,
  )
}

/** Thawing in a container of the engine that Docker's own programs use, beside thawing without. */
export const measureDocker: Measure = (results, rounds, say) => {
  const options: RaspiOptions = { engine: 'docker' }
  return inTurn(
    rounds,
    say,
    [
      () => thaws('thaw', {}, results, say),
      () => thaws('dockerThaw', options, results, say),
      () => readyLeases('readyLease', {}, results, say),
      () => readyLeases('dockerReadyLease', options, results, say),
    ],
    options,
  )
}

/** Does each of `ways` once in a round. What the cache lacks is made before anything is measured. */
async function inTurn(
  rounds: number,
  say: (line: string) => void,
  ways: (() => Promise<void>)[],
  options: RaspiOptions = {},
): Promise<void> {
  await withLab({ ...options, readyPis: 0 }, say, async (lab) => void (await toFirstCommand(lab)))
  for (let round = 0; round < rounds; round++) for (const way of ways) await way()
}

const boots = (what: Measured, options: RaspiOptions, results: Results, say: (line: string) => void) =>
  withLab({ ...options, freeze: false }, say, async (lab) => {
    const { ms, lease } = await toFirstCommand(lab)
    keepAndSay(results, what, ms, say)
    results.spans[what] = lease.pis[0]?.spans ?? []
  })

const thaws = (what: Measured, options: RaspiOptions, results: Results, say: (line: string) => void) =>
  withLab({ ...options, readyPis: 0 }, say, async (lab) => {
    // The first lease of a lab reads and checks the whole frozen Pi, which a run does once.
    await lab.release((await toFirstCommand(lab)).lease.id)
    for (let turn = 0; turn < 2; turn++) {
      const { ms, lease } = await toFirstCommand(lab)
      keepAndSay(results, what, ms, say)
      results.spans[what] = lease.pis[0]?.spans ?? []
      await lab.release(lease.id)
    }
  })

const readyLeases = (what: Measured, options: RaspiOptions, results: Results, say: (line: string) => void) =>
  withLab({ ...options, readyPis: 1 }, say, async (lab) => {
    await lab.release((await toFirstCommand(lab)).lease.id)
    for (let turn = 0; turn < 3; turn++) {
      while (lab.ready < 1) await delay(100)
      const { ms, lease } = await toFirstCommand(lab)
      keepAndSay(results, what, ms, say)
      results.spans[what] = lease.pis[0]?.spans ?? []
      await lab.release(lease.id)
    }
  })

function keepAndSay(results: Results, what: Measured, ms: number, say: (line: string) => void) {
  keep(results, what, ms)
  say(`${what}: ${seconds(ms)}`)
}
