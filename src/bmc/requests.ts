import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { messageOf } from '../errors.ts'
import type { Log } from '../host/progress.ts'
import { type BootDevice, bootDevices, type Chassis, type PowerAction } from './chassis.ts'
import { simFiles } from './config.ts'
import type { SimDir } from './sim-dir.ts'

/** How old what the BMC says of the chassis may be, in ms: it changes without the BMC too. */
const refreshMs = 100

/** Our side of the chassis script: keeps the files that it answers from, and does what it is asked for. */
export class Requests {
  readonly #dir: SimDir
  readonly #chassis: Chassis
  readonly #log: Log
  readonly #written = new Map<string, string>()
  readonly #problems = new Map<string, string>()
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout
  #rest = ''

  private constructor(dir: SimDir, chassis: Chassis, log: Log, fifo: number) {
    this.#dir = dir
    this.#chassis = chassis
    this.#log = log
    this.#socket = new Socket({ fd: fifo, readable: true, writable: false })
    this.#socket.setEncoding('utf8')
    this.#socket.on('data', (text: string) => this.#hear(text))
    this.#socket.on('error', (error) => log(`no longer hears what it is asked for: ${error.message}`))
    this.#socket.unref()
    this.#timer = setInterval(() => this.#refresh(), refreshMs).unref()
    this.#refresh()
  }

  /**
   * Makes the files in `dir` and begins to serve them; `log` takes what goes wrong, as the end of a sentence about the BMC.
   */
  static async serve(dir: SimDir, chassis: Chassis, log: Log): Promise<Requests> {
    const fifo = join(dir.path, simFiles.requests)
    await execa('mkfifo', ['-m', '600', fifo])
    dir.give(fifo)
    // Open for writing too, it never ends, however many scripts come and go.
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      return new Requests(dir, chassis, log, fd)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Does and tells nothing more. The files stay. */
  close(): void {
    clearInterval(this.#timer)
    this.#socket.destroy()
  }

  #hear(text: string) {
    const lines = `${this.#rest}${text}`.split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#obey(line)
    this.#refresh()
  }

  #obey(line: string) {
    const [what, value] = line.split(' ')
    const action = actionFor(what, value)
    const device = bootDevices.find((each) => what === 'boot' && each === value)
    if (action) void this.#switch(action)
    else if (device) this.#boot(device)
  }

  async #switch(action: PowerAction) {
    try {
      await this.#chassis.set(action)
    } catch (error) {
      this.#log(`could not switch the power (${action}): ${messageOf(error)}`)
    }
    this.#refresh()
  }

  #boot(device: BootDevice) {
    try {
      this.#chassis.setBootDevice(device)
    } catch (error) {
      this.#log(`could not set the boot device (${device}): ${messageOf(error)}`)
    }
  }

  #refresh() {
    if (this.#socket.destroyed) return
    this.#tell(simFiles.power, () => (this.#chassis.power() === 'on' ? '1' : '0'))
    this.#tell(simFiles.lost, () => (this.#chassis.isLost() ? 'lost' : ''))
    this.#tell(simFiles.boot, () => this.#chassis.bootDevice())
  }

  /** Has the script answer as `ask` does, or fail where that does, which IPMI then says. Never throws. */
  #tell(file: string, ask: () => string) {
    let value = ''
    let problem = ''
    try {
      value = ask()
    } catch (error) {
      problem = `cannot tell the ${file} of its Pi: ${messageOf(error)}`
    }
    try {
      if (this.#written.get(file) !== value) this.#dir.write(file, `${value}\n`)
      this.#written.set(file, value)
    } catch (error) {
      problem = `cannot tell the ${file} of its Pi anew: ${messageOf(error)}`
    }
    if (problem && problem !== this.#problems.get(file)) this.#log(problem)
    this.#problems.set(file, problem)
  }
}

/** ipmi_sim's words for what it switches; others, as `identify`, ask for what a Pi does not have. */
function actionFor(what?: string, value?: string): PowerAction | undefined {
  if (what === 'power') return value === '1' ? 'on' : 'off'
  if (what === 'reset') return 'reset'
  return what === 'shutdown' ? 'soft' : undefined
}
