import { RaspiError } from '../errors.ts'
import type { Log } from '../host/progress.ts'
import type { Lab } from '../lab/lab.ts'
import type { Keeper } from '../lab/server.ts'
import type { ResolvedOptions } from '../options.ts'
import { Registry } from '../standing/registry.ts'
import { StandingLab } from '../standing/standing-lab.ts'

/** How long Pis stand after the run, at most, in ms. */
export const keptForMs = 3_600_000

const wishes = ['none', 'failed', 'all'] as const

/** The options with what `VITEST_RASPI_KEEP` says, which is for a single run and ranks above them. Throws where it is wrong. */
export function withKeepOf(env: NodeJS.ProcessEnv, options: ResolvedOptions): ResolvedOptions {
  const said = env.VITEST_RASPI_KEEP
  if (!said) return options
  const keep = wishes.find((wish) => wish === said)
  if (keep) return { ...options, keep }
  throw new RaspiError('options', `VITEST_RASPI_KEEP cannot be "${said}".`, {
    hint: 'Set it to failed, to all, or to none.',
  })
}

/** Takes over the Pis of tests, and holds them up when the run is over. */
export class TestKeeper implements Keeper {
  readonly #lab: Lab
  readonly #log: Log
  #standing: Promise<StandingLab> | undefined
  #givingWay: Promise<void> = Promise.resolve()

  constructor(lab: Lab, log: Log) {
    this.#lab = lab
    this.#log = log
    lab.onWaiting(() => void this.#giveWay())
  }

  async keep(lease: number, why: string): Promise<string[]> {
    this.#standing ??= StandingLab.beside(this.#lab, new Registry()).catch((error) => {
      // Nothing is kept, so nothing is held: only who wanted it kept is told why.
      this.#standing = undefined
      throw error
    })
    const standing = await this.#standing
    const kept = await standing.keep(lease, why)
    // Whoever waits already is not told of any more.
    if (this.#lab.waiting > 0) await this.#giveWay()
    const left = standing.list().map(({ name }) => name)
    const names = kept.filter((name) => left.includes(name))
    for (const name of names) this.#log(`Pi ${name} is ${why}: npx vitest-raspi ssh ${name}`)
    return names
  }

  /** Stays until the user has ended the last Pi, or the time is over. */
  async hold(): Promise<void> {
    const standing = await this.#standing
    const names = standing?.list().map(({ name }) => name) ?? []
    if (!standing || names.length === 0) return
    this.#log(
      `${names.join(', ')} ${names.length === 1 ? 'stays' : 'stay'} for an hour, and this process with it.`,
    )
    this.#log(`Look: npx vitest-raspi ssh ${names[0]}. End: Ctrl-C, or npx vitest-raspi down.`)
    await standing.hold(keptForMs)
  }

  /** Has Pis that are kept give way to tests that wait for their places. */
  #giveWay(): Promise<void> {
    this.#givingWay = this.#givingWay.then(() => this.#letGo()).catch(() => {})
    return this.#givingWay
  }

  async #letGo(): Promise<void> {
    const standing = await this.#standing
    const before = standing?.list() ?? []
    await standing?.giveWay()
    const left = new Set(standing?.list().map(({ name }) => name))
    for (const { name } of before)
      if (!left.has(name)) this.#log(`Pi ${name} is kept no longer: a test waits for its place`)
  }
}
