import type { PiSource } from '../engine/engine.ts'
import { RaspiError } from '../errors.ts'
import { type Log, phase } from '../host/progress.ts'
import { parseReference } from '../image/reference.ts'
import { type ImageOption, nameOfImage } from '../image-option.ts'
import type { ProvisionAction, Provisioned, ProvisionState } from '../pi/provision.ts'
import type { Gate } from './gate.ts'
import type { LivePi } from './live-pi.ts'

/** What it takes to provision Pis. */
export interface ProvisioningContext {
  /** The lent Pi of a number. */
  lent(number: number): LivePi
  /** What Pis of `image` on the board of `pi` are made of, made where it is not there. */
  sourceOf(pi: LivePi, image: ImageOption): Promise<PiSource>
  /** Clears what was kept of a Pi's card, which has gone. */
  wiped(pi: LivePi): Promise<void>
  starts: Gate
  log: Log
}

/** A way from one state to another. */
interface Transition {
  from: readonly ProvisionState[]
  to: ProvisionState
  /** Where it is meanwhile, and where it comes to if that fails; absent where it is done at once. */
  work?: { during: ProvisionState; failed: ProvisionState }
  /** What cannot be done, for people. */
  refusal: string
}

/** The part of Ironic's state machine that there is here: https://docs.openstack.org/ironic/latest/user/states.html */
const transitions: Record<ProvisionAction, Transition> = {
  provide: { from: ['enroll'], to: 'available', refusal: 'be made available' },
  deploy: {
    ...{ from: ['available', 'deploy failed'], to: 'active', refusal: 'be deployed' },
    work: { during: 'deploying', failed: 'deploy failed' },
  },
  clean: {
    ...{ from: ['active', 'deploy failed', 'clean failed'], to: 'available', refusal: 'be cleaned' },
    work: { during: 'cleaning', failed: 'clean failed' },
  },
}

/** What helps in a state from which something else is wanted. */
const helps: Record<ProvisionState, string> = {
  enroll: 'Make it available first: `provide`.',
  available: 'It is ready for `deploy`.',
  active: 'Wipe its card first: `clean`.',
  deploying: 'Wait until that is done.',
  cleaning: 'Wait until that is done.',
  'deploy failed': '`deploy` tries it again, `clean` makes it available.',
  'clean failed': '`clean` tries it again.',
}

/** Takes lent Pis through the states of nodes. */
export class Provisioning {
  readonly #context: ProvisioningContext

  constructor(context: ProvisioningContext) {
    this.#context = context
  }

  /** Does `action` with the Pi of this number, or nothing, and tells what it is then. Throws a `RaspiError` where that cannot be. */
  async change(
    number: number,
    action: ProvisionAction | undefined,
    image: ImageOption | undefined,
  ): Promise<Provisioned> {
    const pi = this.#context.lent(number)
    if (action) await this.#move(pi, action, image)
    const { connection, origin, startMs, provision: state } = pi
    return { connection, origin, startMs, state }
  }

  async #move(pi: LivePi, action: ProvisionAction, image: ImageOption | undefined): Promise<void> {
    const { from, to, work, refusal } = transitions[action]
    if (!from.includes(pi.provision)) {
      throw new RaspiError(
        'lab',
        `Pi ${pi.identity.hostname} cannot ${refusal}: its state is "${pi.provision}".`,
        { hint: helps[pi.provision] },
      )
    }
    // What is wrong with it is told before its state changes.
    if (image !== undefined) parseReference(image)
    if (work) {
      pi.provision = work.during
      try {
        await (action === 'deploy' ? this.#deploy(pi, image) : this.#clean(pi))
      } catch (error) {
        pi.provision = work.failed
        throw error
      }
    }
    pi.provision = to
  }

  async #deploy(pi: LivePi, image: ImageOption | undefined): Promise<void> {
    const { sourceOf, starts, log } = this.#context
    const source = image === undefined ? pi.ownSource : await sourceOf(pi, image)
    const title = `Pi ${pi.identity.hostname}: deploying ${image === undefined ? source.image.name : nameOfImage(image)}`
    await phase(log, title, async () => {
      const leave = await starts.enter(1, pi.signal)
      try {
        await pi.install(source)
      } catch (error) {
        // Nothing half deployed is left for somebody to switch on.
        await pi.wipe()
        throw error
      } finally {
        leave()
      }
    })
  }

  async #clean(pi: LivePi): Promise<void> {
    await pi.wipe()
    await this.#context.wiped(pi)
  }
}
