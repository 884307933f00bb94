import { randomBytes, randomInt } from 'node:crypto'
import { RaspiError } from '../errors.ts'
import { checkLine, isLacking } from '../host/check.ts'
import type { Log } from '../host/progress.ts'
import { check } from '../host/requirements.ts'
import type { Chassis } from './chassis.ts'
import { chassisScript, emulatorCommands, simFiles } from './config.ts'
import { portsFrom } from './port.ts'
import { Requests } from './requests.ts'
import { startSim } from './sim.ts'
import { SimDir } from './sim-dir.ts'

/** What a BMC is started with. */
export interface BmcOptions {
  /** Whose it is, for people. */
  name: string
  /** A directory of its own, which does not exist yet; it is removed when the BMC is closed. */
  dir: string
  chassis: Chassis
  /** Takes what goes wrong once it runs. @default nowhere */
  log?: Log
  /** Gives up the start. */
  signal?: AbortSignal
  /** How it is to be reached: as an earlier one of the same Pi was. @default anew */
  as?: BmcConnection | undefined
  /** Gives a UDP port to try. @default that of `as`, and then one that nobody has */
  choosePort?: () => Promise<number>
}

/** How to reach a BMC by IPMI over LAN. */
export interface BmcConnection {
  readonly host: string
  /** UDP. */
  readonly port: number
  readonly user: string
  readonly password: string
}

/** A BMC that answers IPMI until it is closed. */
export interface Bmc extends BmcConnection {
  /** Ends it: no process, socket or file of it is left then. */
  close(): Promise<void>
}

/**
 * Starts a BMC that switches `chassis`, with credentials of its own, and gives it once it answers on 127.0.0.1: IPMI 2.0
 * and, with MD5, 1.5, by openipmi's ipmi_sim. It dies with the calling thread, and runs as nobody where the caller is root.
 * Throws a `RaspiError`: of kind `host` where ipmi_sim is missing, of kind `lab` where it does not start.
 *
 * What ipmi_sim cannot do: refuse cipher suite 0, by which IPMI asks for no password (its limits are by privilege, not by
 * suite). Whoever knows the user gets in by it with any password, and so the user's name is as random as the password.
 * https://github.com/cminyard/openipmi/blob/v2.0.33/lanserv/lanserv_ipmi.c
 * Nor does it answer the way in which ipmitool 1.8.19 asks for its suites: `ipmitool` needs `-C 3`, or each command takes 10 s.
 */
export async function startBmc(options: BmcOptions): Promise<Bmc> {
  const { name, chassis, log = () => {}, signal } = options
  const program = await findIpmiSim()
  signal?.throwIfAborted()
  const say = (what: string) => log(`The BMC of ${name} ${what}`)
  const dir = new SimDir(options.dir)
  let requests: Requests | undefined
  const clear = () => {
    requests?.close()
    dir.remove()
  }
  try {
    dir.write(simFiles.commands, emulatorCommands)
    dir.write(simFiles.script, chassisScript)
    requests = await Requests.serve(dir, chassis, say)
    const { user, password } = options.as ?? { user: randomWord(), password: randomWord() }
    const identity = { guid: randomBytes(16).toString('hex'), user, password }
    const sim = await startSim({
      ...{ ...identity, program, dir, signal },
      choosePort: options.choosePort ?? portsFrom(options.as?.port),
      connectConsole: () => chassis.connectConsole(),
    })
    let closing: Promise<void> | undefined
    void sim.ended.then((said) => closing ?? say(`has ended: ${said}`))
    const close = async () => {
      await sim.end()
      clear()
    }
    return { host: '127.0.0.1', port: sim.port, user, password, close: () => (closing ??= close()) }
  } catch (error) {
    clear()
    throw error
  }
}

/** The path of the host's ipmi_sim. Throws a `RaspiError` of kind `host` with the doctor's line where it is missing. */
async function findIpmiSim(): Promise<string> {
  const [found] = await check(['ipmiSim'])
  if (found?.path && !isLacking(found)) return found.path
  throw new RaspiError('host', 'No BMC was started, because this host lacks what it needs: ipmi_sim.', {
    hint: '`npx vitest-raspi doctor --for bmc --fix` installs it where a package manager has it.',
    ...(found && { evidence: checkLine(found) }),
  })
}

const letters = 'abcdefghijkmnopqrstuvwxyz'
const lettersAndDigits = `${letters}23456789`

/**
 * 15 characters, of which ipmi_sim takes no more for a name; begins with a letter, so that nothing takes it for a number:
 * over 70 bits.
 */
function randomWord(): string {
  const pick = (from: string) => from[randomInt(from.length)] ?? ''
  return pick(letters) + Array.from({ length: 14 }, () => pick(lettersAndDigits)).join('')
}
