import { RaspiError } from '../errors.ts'
import type { Place } from '../machine/place.ts'
import type { PowerAction, PowerState } from '../pi/power.ts'
import { type FirstStart, FirstStarts } from './first-starts.ts'
import type { PiMachine } from './pi-machine.ts'

/** What is done to a Pi's power: one thing after the other, and with the first start that one that was never on has yet to have. */
export class PiPower {
  readonly #machine: PiMachine
  readonly #firstStarts = new FirstStarts()
  /** Whether there is nothing on its card. */
  #isVacant = false

  constructor(machine: PiMachine) {
    this.#machine = machine
    // A first start would wait for a login in vain.
    machine.onCrash((error) => this.#firstStarts.giveUp(error))
  }

  /** Whether it has power. One that reboots has. */
  get state(): PowerState {
    return this.#machine.isOn ? 'on' : 'off'
  }

  /** Has none until it is switched on; then `firstStart` brings the Pi to life. */
  async wait(firstStart: FirstStart): Promise<void> {
    this.#firstStarts.plan(firstStart)
    this.#machine.refuse('it was never switched on')
  }

  /** Does something to it, or nothing, and tells whether there is any. Without `wait` it waits for no first start. */
  async change(action: PowerAction | undefined, wait = true): Promise<PowerState> {
    if (action === 'on') await this.switchOn(wait)
    if (action === 'off') await this.#machine.shutDown()
    if (action === 'cut') await this.cut()
    if (action === 'reset') await this.reset(wait)
    return this.state
  }

  /**
   * Switches it on: the Pi boots from its card as that is. Settles once its machine runs, or its first start has come to an end;
   * without `wait` that goes on by itself. Where it is on it only waits. Throws a `RaspiError` where there is nothing on the
   * card, or where it is cut in the first start.
   */
  async switchOn(wait = true): Promise<void> {
    const { cut } = this.#firstStarts
    let started: Promise<void> | undefined
    await this.#machine.turns.next(async () => {
      started = this.#firstStarts.atWork
      if (this.#machine.isOn) return
      if (this.#isVacant) {
        throw new RaspiError(
          'lab',
          `Pi ${this.#machine.hostname} cannot be switched on: nothing is deployed on it.`,
          { hint: 'Deploy an image first: by pi.provision in a test, or `vitest-raspi provision`.' },
        )
      }
      started = this.#comeOn(cut)
      await this.#untilItRuns(started)
    })
    if (wait) await started
  }

  /**
   * Takes it at once; the card stays as it is in this moment. Does nothing where there is none. A first start is given up, and is
   * to come once more.
   */
  cut(): Promise<void> {
    const why = 'its power was cut'
    return this.#inPlaceOfStarts(why, () => this.#machine.leave(why))
  }

  /**
   * Resets the Pi, as by the pins for it: it boots anew, without having shut down, or has its first start once more. Settles as
   * {@link PiPower.switchOn} does. Throws a `RaspiError` where it is off.
   */
  async reset(wait = true): Promise<void> {
    const machine = this.#machine
    let started: Promise<void> | undefined
    await machine.turns.next(async () => {
      machine.running('It cannot be reset')
      await machine.poweredDuring(async () => {
        await this.#endStarts('it was reset')
        await machine.leave()
      })
      started = this.#comeOn(this.#firstStarts.cut)
      await this.#untilItRuns(started)
    })
    if (wait) await started
  }

  /** Takes it at once, and what is on the card: it cannot be switched on until something {@link begin begins} there. */
  vacate(): Promise<void> {
    const machine = this.#machine
    return this.#inPlaceOfStarts('its card was wiped', async () => {
      this.#isVacant = true
      this.#firstStarts.drop()
      await machine.leave('nothing is deployed on it')
      await machine.place.remove(machine.card)
    })
  }

  /** Has the Pi come to life by `start`, which makes its card, at another place. Throws a `RaspiError` where it is cut meanwhile. */
  async begin(place: Place, start: FirstStart): Promise<void> {
    const machine = this.#machine
    const { cut } = this.#firstStarts
    let started: Promise<void> | undefined
    await machine.turns.next(async () => {
      await machine.place.end()
      machine.place = place
      started = this.#begin(start, cut)
      await this.#untilItRuns(started)
    })
    if (!started) return place.end()
    await started
    this.#isVacant = false
  }

  /** Takes it as if the plug were pulled; who comes waits until another machine is adopted. */
  replace(): Promise<void> {
    return this.#inPlaceOfStarts('it goes back to a checkpoint', () => this.#machine.leave())
  }

  /** Settles when no first start is at work any more. Never rejects. */
  whenStarted(): Promise<void> {
    return this.#firstStarts.over()
  }

  /** Ends the Pi for good, at once. */
  async end(): Promise<void> {
    const machine = this.#machine
    const [ended, lastTurn] = [machine.end(), machine.turns.end()]
    void this.#endStarts('it has been given back')
    await ended
    // One that is just being started ends as soon as it has started.
    await lastTurn
    await this.whenStarted()
    await machine.place.end()
  }

  /** Boots the Pi from its card, or begins its first start where that is still to come. Settles when that has started. */
  #comeOn(cut: AbortSignal): Promise<void> {
    const first = this.#firstStarts.next
    return first ? this.#begin(first, cut) : this.#machine.startBy(() => this.#machine.bootAgain())
  }

  #begin(start: FirstStart, cut: AbortSignal): Promise<void> {
    return this.#firstStarts.begin(start, {
      ...{ cut, startBy: (work) => this.#machine.startBy(work) },
      hasMachine: () => this.#machine.hasMachine,
    })
  }

  /** Settles once a machine runs of what `started` has begun, or that is over: what is done next has its turn then. */
  async #untilItRuns(started: Promise<void>): Promise<void> {
    await Promise.race([this.#machine.runs, started])
  }

  /** Does `work` in turn, and without waiting for a first start, which is given up. */
  #inPlaceOfStarts(why: string, work: () => Promise<void>): Promise<void> {
    void this.#endStarts(why)
    return this.#machine.turns.next(async () => {
      // A reset may have begun another one since.
      await this.#endStarts(why)
      await work()
    })
  }

  /** Gives up the first start that is at work, or waits for its turn. Settles when none is at work any more. Never rejects. */
  #endStarts(why: string): Promise<void> {
    const sentence = `Pi ${this.#machine.hostname} was not started: ${why}.`
    this.#firstStarts.giveUp(new RaspiError('cancelled', sentence))
    return this.whenStarted()
  }
}
