import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { nameOfBoard } from '../board-option.ts'
import { RaspiError } from '../errors.ts'
import { listOf } from '../host/list-of.ts'
import { sweepDeadRuns } from '../host/run-dir.ts'
import { type ImageOption, nameOfImage } from '../image-option.ts'
import { openAnswer, openChannel } from '../lab/channel.ts'
import type { Answer } from '../lab/protocol.ts'
import type { PowerAction, PowerState } from '../pi/power.ts'
import type { ProvisionAction, ProvisionState } from '../pi/provision.ts'
import type { PiEvent, StandingFunctions, StandingPi } from './protocol.ts'
import { defaultRegistryDir, isStanding, type LabEntry, Registry } from './registry.ts'

/** How long a lab may take to say what it has, in ms; it says it from memory. */
const answerTimeoutMs = 15_000

/** A Pi with the lab it stands in. */
export interface FoundPi extends StandingPi {
  lab: LabEntry
}

/** The user's standing labs, for the commands of another process. */
export class StandingLabs {
  readonly registry: Registry

  /** Those that a process with the environment `env` finds. */
  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.registry = new Registry(defaultRegistryDir(env))
  }

  /** All living labs, the oldest first. */
  labs(): LabEntry[] {
    return this.registry.entries().filter(isStanding)
  }

  /**
   * All Pis of all labs. Those of a lab whose process has died are told as `gone`, this once: what is left of it is
   * swept away.
   */
  async list(): Promise<FoundPi[]> {
    const found = await Promise.all(
      this.registry.entries().map(async (lab) => {
        if (isStanding(lab)) {
          const pis = await ask(lab, ({ list }) => list(), answerTimeoutMs).catch(() => undefined)
          if (pis) return pis.map((pi) => ({ ...pi, lab }))
          // It may have ended while it was asked, and in good order.
          if (isStanding(lab)) return registered(lab, 'starting')
          if (!this.registry.entries().some(({ socket }) => socket === lab.socket)) return []
        }
        this.registry.remove(lab)
        sweepDeadRuns()
        return registered(lab, 'gone')
      }),
    )
    return found.flat()
  }

  /** The Pis of these names, or all. Throws a `RaspiError` that names those there are where one is missing. */
  async find(names: readonly string[]): Promise<FoundPi[]> {
    const all = await this.list()
    if (names.length === 0) return all
    return names.map((name) => {
      const pi = all.find((each) => each.name === name)
      if (pi) return pi
      const there = all.map((each) => each.name)
      throw new RaspiError('lab', `There is no Pi ${name}.`, {
        hint:
          there.length > 0
            ? `There ${there.length === 1 ? 'is' : 'are'}: ${there.join(', ')}.`
            : `No Pi is up. \`vitest-raspi up ${name}\` brings it up.`,
      })
    })
  }

  /** The Pi of this name. Throws a `RaspiError` where it is not there, or not up. */
  async one(name: string): Promise<FoundPi & Required<Pick<StandingPi, 'connection' | 'controlPath'>>> {
    const [pi] = await this.find([name])
    if (pi?.state === 'up' && pi.connection && pi.controlPath)
      return { ...pi, connection: pi.connection, controlPath: pi.controlPath }
    const why = pi?.problem ? `: ${pi.problem}` : ''
    throw new RaspiError('lab', `Pi ${name} is ${stateWords[pi?.state ?? 'gone']}${why}.`, {
      hint: helpFor(name, pi),
    })
  }

  /** Does something to the power of a Pi, or nothing, and tells whether it has any. Throws the `RaspiError` of its lab. */
  async power({ lab, name }: FoundPi, action: PowerAction | undefined): Promise<PowerState> {
    return ask(lab, (to) => to.power(name, action))
  }

  /** Takes a Pi to another state of a node, or nowhere, and tells which it is in. Throws the `RaspiError` of its lab. */
  async provision(
    { lab, name }: FoundPi,
    action: ProvisionAction | undefined,
    image?: ImageOption,
  ): Promise<ProvisionState> {
    return ask(lab, (to) => to.provision(name, action, image))
  }

  /** Resets Pis, each in its lab. */
  async reset(pis: readonly FoundPi[]): Promise<StandingPi[]> {
    const reset = await Promise.all(byLab(pis).map(([lab, names]) => ask(lab, (to) => to.reset(names))))
    return reset.flat()
  }

  /** Ends Pis, and waits for the end of the labs that have none left. */
  async down(pis: readonly FoundPi[]): Promise<void> {
    await Promise.all(
      byLab(pis).map(async ([lab, names]) => {
        await ask(lab, (to) => to.down(names))
        const last = lab.pis.every(({ name }) => names.includes(name))
        for (let waited = 0; last && isStanding(lab) && waited < 10_000; waited += 50) await delay(50)
      }),
    )
  }

  async events({ lab, name }: FoundPi): Promise<PiEvent[]> {
    return ask(lab, (to) => to.events(name), answerTimeoutMs)
  }
}

const stateWords = {
  starting: 'still starting',
  up: 'up, but cannot be reached',
  off: 'switched off',
  lost: 'lost',
  gone: 'gone',
}

function helpFor(name: string, pi: StandingPi | undefined): string {
  if (pi?.state === 'starting') return 'Wait for it: `vitest-raspi ls` tells when it is up.'
  if (pi?.state === 'gone') return `\`vitest-raspi up ${name}\` brings it up again.`
  if (pi?.state === 'off' && pi.provision !== undefined && pi.provision !== 'active')
    return `Its state is "${pi.provision}": \`vitest-raspi provision ${name}\` deploys it.`
  const reset = `\`vitest-raspi reset ${name}\` makes it fresh.`
  return pi?.state === 'off' ? `\`vitest-raspi power ${name} on\` switches it on. ${reset}` : reset
}

function byLab(pis: readonly FoundPi[]): [LabEntry, string[]][] {
  const labs = new Map<string, [LabEntry, string[]]>()
  for (const { lab, name } of pis) {
    const [, names] = labs.get(lab.socket) ?? [lab, []]
    labs.set(lab.socket, [lab, [...names, name]])
  }
  return [...labs.values()]
}

type Remote = { [Name in keyof StandingFunctions]: StandingFunctions[Name] }

async function ask<T>(
  lab: LabEntry,
  call: (remote: Remote) => Promise<Answer<T>>,
  timeoutMs?: number,
): Promise<T> {
  const socket = connect(lab.socket)
  try {
    await once(socket, 'connect').catch((cause) => {
      const names = lab.pis.map(({ name }) => name)
      throw new RaspiError(
        'lab',
        `The lab of ${listOf(names)} does not listen: it is just starting, or has just ended.`,
        {
          hint: 'Try it again in a moment: `vitest-raspi ls` tells what is up.',
          cause,
        },
      )
    })
    const channel = openChannel<StandingFunctions, object>(socket, {})
    const late = timeoutMs === undefined ? undefined : tooLate(timeoutMs)
    return openAnswer(await Promise.race([call(channel as unknown as Remote), ...(late ? [late] : [])]))
  } finally {
    socket.destroy()
  }
}

async function tooLate(timeoutMs: number): Promise<never> {
  await delay(timeoutMs, undefined, { ref: false })
  throw new RaspiError('lab', `The lab did not answer within ${timeoutMs / 1000} s.`)
}

/** What is known of the Pis of a lab that does not listen yet, or no longer. */
function registered(lab: LabEntry, state: 'starting' | 'gone'): FoundPi[] {
  const { since } = lab
  const problem = `the process of its lab (${lab.process.pid}) has died, and the Pi with it`
  const power = state === 'gone' ? 'off' : 'on'
  return lab.pis.map((pi) => ({
    ...{ ...pi, state, power, image: nameOfImage(lab.image), board: nameOfBoard(lab.board), since, lab },
    ...(state === 'gone' ? { problem } : {}),
  }))
}
