import type { ImageOption } from '../image-option.ts'
import type { LentPi } from '../lab/protocol.ts'

/**
 * How far a node has come, by Ironic's names (https://docs.openstack.org/ironic/latest/user/states.html). In `enroll` and
 * `available` there is nothing on its card, and it has no power.
 */
export type ProvisionState =
  | 'enroll'
  | 'available'
  | 'deploying'
  | 'deploy failed'
  | 'active'
  | 'cleaning'
  | 'clean failed'

/** What takes a node from one state to the next. */
export type ProvisionAction = 'provide' | 'deploy' | 'clean'

/** A node as it is after an action: its state, and how it is reached if something is deployed. */
export interface Provisioned extends Pick<LentPi, 'connection' | 'origin' | 'startMs'> {
  state: ProvisionState
}

/** What is to be deployed. */
export interface DeployOptions {
  /** Another image than the test's: a name, a URL, a path, or an object with more about it. */
  image?: ImageOption
}

/** How a node was brought to life. */
export interface Deployment {
  /** Thawed where its image has a frozen Pi or can be given one here, else booted. */
  origin: 'thawed' | 'booted'
  /** The time from its start to its first login, in ms. */
  startMs: number
}

/** What {@link Provision} asks of the Pi's lab. */
export interface ProvisionControl {
  state(): Promise<ProvisionState>
  do(action: ProvisionAction, image?: ImageOption): Promise<Provisioned>
}

/**
 * A Pi as a node that is provisioned: a Pi is `active` from the start, one with `state: 'enrolled'` becomes it by
 * `provide()` and `deploy()`. Each throws a `RaspiError` in a state from which there is no such way.
 */
export class Provision {
  readonly #control: ProvisionControl

  /** @internal */
  constructor(control: ProvisionControl) {
    this.#control = control
  }

  /** How far it has come. */
  state(): Promise<ProvisionState> {
    return this.#control.state()
  }

  /** Makes an enrolled node available. What Ironic calls `manageable` lies on the way, and it does not stop there. */
  async provide(): Promise<void> {
    await this.#control.do('provide')
  }

  /**
   * Puts a fresh card of the image into an available node, brings it to life, and gives it once somebody can log in; it is
   * active then. Name, addresses, MACs and ssh port stay. Throws a `RaspiError` where the image cannot be had or does not
   * come up: the node is off then, and its state is `deploy failed`.
   * @example await pi.provision.deploy({ image: 'raspios-lite-arm64@2026-09-15' })
   */
  async deploy({ image }: DeployOptions = {}): Promise<Deployment> {
    const { origin, startMs } = await this.#control.do('deploy', image)
    return { origin, startMs }
  }

  /** Pulls the plug of an active node and wipes its card; it is available then. Its checkpoints go, too. */
  async clean(): Promise<void> {
    await this.#control.do('clean')
  }
}
