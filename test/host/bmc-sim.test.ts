import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Bmc, type BmcOptions, startBmc } from '../../src/bmc/bmc.ts'
import { takePort } from '../../src/bmc/port.ts'
import { nobody } from '../../src/bmc/sim-dir.ts'
import { processId } from '../../src/host/process.ts'
import { scratchDir } from '../support/scratch-dir.ts'
import { FakeChassis } from '../unit/bmc/fake-chassis.ts'

const works = async (file: string, ...args: string[]) =>
  (await execa(file, args, { reject: false, timeout: 30_000 })).exitCode === 0
const hasIpmi = (await works('ipmi_sim', '-v', '-c', '/dev/null')) && (await works('ipmitool', '-V'))
const hasModules =
  hasIpmi &&
  (await works('/usr/bin/python3', '-c', 'import pyghmi')) &&
  // Without the collection it says so with exit code 0.
  (await execa('ansible-doc', ['-j', 'community.general.ipmi_power'], { reject: false })).stdout?.includes(
    'pyghmi',
  )

/** A BMC of a chassis that switches at once. */
async function started(chassis = new FakeChassis(), options: Partial<BmcOptions> = {}) {
  const dir = join(scratchDir(), 'bmc')
  const log: string[] = []
  const bmc = await startBmc({ name: 'boreas', dir, chassis, log: (line) => log.push(line), ...options })
  onTestFinished(() => bmc.close())
  return { bmc, chassis, dir, log, ipmi: (...words: string[]) => ipmi(bmc, words) }
}

/** What ipmitool says; its exit code first where that is not 0. */
async function ipmi(
  { host, port, user, password }: Pick<Bmc, 'host' | 'port' | 'user' | 'password'>,
  words: readonly string[],
  { cipher = 3, by = 'lanplus' }: { cipher?: number; by?: 'lan' | 'lanplus' } = {},
) {
  const suite = by === 'lanplus' ? ['-C', String(cipher)] : []
  const { all, exitCode } = await execa(
    'ipmitool',
    [
      '-I',
      by,
      '-H',
      host,
      '-p',
      String(port),
      '-U',
      user,
      '-P',
      password,
      '-N',
      '2',
      '-R',
      '2',
      ...suite,
      ...words,
    ],
    { all: true, reject: false, timeout: 60_000, env: { LC_ALL: 'C' } },
  )
  return exitCode === 0 ? all : `exit code ${exitCode}: ${all}`
}

/** The living processes that work in `dir`. */
function processesIn(dir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && processId(Number(name)))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(dir)
      } catch {
        return false
      }
    })
}

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1')
  const free = await once(socket, 'listening').then(
    () => true,
    () => false,
  )
  socket.close()
  return free
}

describe.skipIf(!hasIpmi)(
  'a BMC, by ipmitool (skipped without openipmi and ipmitool)',
  { timeout: 60_000 },
  () => {
    test('takes the place of an earlier one, at its address and with its credentials', async () => {
      const { bmc: earlier } = await started()
      await earlier.close()
      const { bmc, ipmi: later } = await started(new FakeChassis(), { as: earlier })
      const { host, port, user, password } = earlier
      expect(bmc).toMatchObject({ host, port, user, password })
      expect(await ipmi(earlier, ['power', 'status'])).toBe('Chassis Power is off')
      // Where that port is another's by now, it is reached at one that is free.
      const { bmc: crowded } = await started(new FakeChassis(), { as: earlier })
      expect(crowded.port).not.toBe(port)
      expect(await ipmi(crowded, ['power', 'status'])).toBe('Chassis Power is off')
      expect(await later('power', 'status')).toBe('Chassis Power is off')
    })

    test('switches the power, and tells what it is', async () => {
      const { chassis, ipmi } = await started()
      expect(await ipmi('power', 'status')).toBe('Chassis Power is off')
      expect(await ipmi('power', 'on')).toBe('Chassis Power Control: Up/On')
      await expect.poll(() => chassis.told).toEqual(['on'])
      expect(await ipmi('power', 'status')).toBe('Chassis Power is on')
      expect(await ipmi('power', 'on')).toBe('Chassis Power Control: Up/On')
      expect(await ipmi('power', 'reset')).toBe('Chassis Power Control: Reset')
      expect(await ipmi('power', 'cycle')).toBe('Chassis Power Control: Cycle')
      await expect.poll(() => chassis.told).toEqual(['on', 'on', 'reset', 'off', 'on'])
      expect(await ipmi('power', 'soft')).toBe('Chassis Power Control: Soft')
      await expect.poll(() => ipmi('power', 'status')).toBe('Chassis Power is off')
      expect(await ipmi('power', 'off')).toBe('Chassis Power Control: Down/Off')
      // As when its Pi dies, or shuts itself down.
      chassis.state = 'on'
      await expect.poll(() => ipmi('power', 'status')).toBe('Chassis Power is on')
      expect(chassis.told.slice(5)).toEqual(['soft', 'off'])
    })

    test('takes the boot device', async () => {
      const { chassis, ipmi } = await started()
      const devices = { pxe: 'pxe', disk: 'default', cdrom: 'cdrom', bios: 'bios', none: 'none' }
      for (const [word, device] of Object.entries(devices)) {
        expect(await ipmi('chassis', 'bootdev', word)).toBe(`Set Boot Device to ${word}`)
        await expect.poll(() => chassis.told.at(-1)).toBe(`boot ${device}`)
      }
      expect(await ipmi('chassis', 'bootdev', 'floppy')).toMatch(/failed: Unspecified error/)
      expect(chassis.told).toHaveLength(5)
      chassis.boot = 'pxe'
      await expect.poll(() => ipmi('chassis', 'bootparam', 'get', '5')).toContain('Force PXE')
    })

    test('lets nobody in without the right name and password', async () => {
      const [{ bmc, chassis }, other] = await Promise.all([started(), started()])
      const power = (given: Partial<Bmc>, options?: Parameters<typeof ipmi>[2]) =>
        ipmi({ ...bmc, ...given }, ['power', 'on'], options)
      const noSession = /^exit code 1: .*Unable to establish/s
      expect(bmc.user).not.toBe(other.bmc.user)
      expect(await power({ password: 'wrong' })).toMatch(noSession)
      expect(await power({ password: other.bmc.password })).toMatch(noSession)
      expect(await power({ password: 'wrong' }, { by: 'lan' })).toMatch(noSession)
      expect(await power({ user: 'admin' })).toMatch(noSession)
      expect(await power({ user: '', password: '' })).toMatch(noSession)
      // Suite 0 asks for no password, and ipmi_sim cannot be told to refuse it: who does not know the name stays out.
      expect(await power({ user: 'admin' }, { cipher: 0 })).toMatch(noSession)
      expect(await power({ user: '', password: '' }, { cipher: 0 })).toMatch(noSession)
      expect(await power({}, { cipher: 17 })).toMatch(/^exit code 1: .*invalid authentication algorithm/s)
      expect(chassis.told).toEqual([])
      for (const options of [{ cipher: 1 }, { cipher: 2 }, { cipher: 3 }, { by: 'lan' }] as const)
        expect(await power({}, options)).toBe('Chassis Power Control: Up/On')
      await expect.poll(() => chassis.told).toEqual(Array(4).fill('on'))
      expect(other.chassis.told).toEqual([])
    })

    test("joins serial over LAN to the Pi's console, both ways and through its power cycles, one at a time", async () => {
      const chassis = new FakeChassis()
      const path = join(scratchDir(), 'console')
      let heard = ''
      let client: Socket | undefined
      const open = async () => {
        const server = createServer((socket) => {
          client = socket
          socket
            .on('error', () => {})
            .on('data', (bytes) => {
              heard += bytes
              // As a terminal does.
              socket.write(bytes)
            })
        }).listen(path)
        await once(server, 'listening')
        return async () => {
          client?.destroy()
          await new Promise((done) => server.close(done))
          client = undefined
        }
      }
      const { bmc, ipmi } = await started(chassis)
      const { host, port, user, password } = bmc
      const access = ['-I', 'lanplus', '-C', '3', '-H', host, '-p', String(port), '-U', user, '-P', password]
      const sol = execa('ipmitool', [...access, 'sol', 'activate'], {
        ...{ stdin: 'pipe', all: true, reject: false, timeout: 50_000, buffer: false },
      })
      onTestFinished(() => void sol.kill('SIGKILL'))
      let shown = ''
      sol.all.on('data', (bytes) => {
        shown += bytes
      })

      for (const boot of ['first', 'second']) {
        chassis.socket = path
        const close = await open()
        await expect.poll(() => client).toBeDefined()
        // What comes before the session is there is lost.
        const talk = setInterval(() => client?.write(`${boot} login: `), 100)
        await expect.poll(() => shown).toContain(`${boot} login: `)
        clearInterval(talk)
        sol.stdin.write(`pi of the ${boot}\r`)
        await expect.poll(() => shown).toContain(`pi of the ${boot}\r`)
        expect(heard).toContain(`pi of the ${boot}\r`)
        // A second session does all the rest meanwhile, but the console is taken.
        expect(await ipmi('power', 'status')).toBe('Chassis Power is off')
        expect(await ipmi('sol', 'activate')).toMatch(/already active/i)
        await close()
      }
      sol.stdin.write('\r~.')
      await once(sol.all, 'end')
      expect((await sol).exitCode).toBe(0)
    })

    test('tells of a chassis that fails', async () => {
      const { chassis, ipmi, log } = await started()
      chassis.set = async () => {
        throw new Error('its card is gone')
      }
      expect(await ipmi('power', 'on')).toBe('Chassis Power Control: Up/On')
      await expect
        .poll(() => log)
        .toEqual(['The BMC of boreas could not switch the power (on): its card is gone'])
      chassis.power = () => {
        throw new Error('it is lost')
      }
      await expect.poll(() => log[1]).toBe('The BMC of boreas cannot tell the power of its Pi: it is lost')
      expect(await ipmi('power', 'status')).toMatch(/^exit code 1: .*Unspecified error/s)
      chassis.power = () => 'on'
      await expect.poll(() => ipmi('power', 'status')).toBe('Chassis Power is on')
    })

    test('refuses to switch a Pi that is lost, and tells that it is off', async () => {
      const { chassis, ipmi, log } = await started()
      chassis.lost = true
      chassis.set = async () => {
        throw new Error('it is lost')
      }
      const refused = /^exit code 1: .*Unspecified error/s
      await expect.poll(() => ipmi('power', 'on')).toMatch(refused)
      for (const action of ['off', 'cycle', 'reset', 'soft'])
        expect(await ipmi('power', action)).toMatch(refused)
      expect(await ipmi('power', 'status')).toBe('Chassis Power is off')
      expect(log).toContain('The BMC of boreas could not switch the power (on): it is lost')
    })

    test('answers quickly, also many at a time', async () => {
      const { ipmi } = await started()
      const times: number[] = []
      for (let call = 0; call < 20; call++) {
        const started = performance.now()
        expect(await ipmi('power', 'status')).toBe('Chassis Power is off')
        times.push(performance.now() - started)
      }
      const median = times.sort((a, b) => a - b)[10] ?? Number.NaN
      console.log(`ipmitool power status: median ${Math.round(median)} ms of 20`)
      expect(median).toBeLessThan(1_000)
      const all = await Promise.all(Array.from({ length: 12 }, () => ipmi('power', 'status')))
      expect(all).toEqual(Array(12).fill('Chassis Power is off'))
    })

    test('does 50 power cycles in a row', { timeout: 120_000 }, async () => {
      const chassis = new FakeChassis()
      chassis.state = 'on'
      const { ipmi, log } = await started(chassis)
      // ipmitool sends again what has no answer within 2 s, and a BMC does that twice.
      const told = () => chassis.told.filter((action, index, all) => action !== all[index - 1])
      for (let cycle = 1; cycle <= 50; cycle++) {
        // ipmi_sim's own waits a second between off and on.
        const commands = cycle % 10 === 0 ? ['cycle'] : ['off', 'on']
        for (const command of commands)
          expect(await ipmi('power', command)).toMatch(/^Chassis Power Control: /)
        await expect.poll(told).toHaveLength(2 * cycle)
      }
      expect(told()).toEqual(Array(50).fill(['off', 'on']).flat())
      await expect.poll(() => ipmi('power', 'status')).toBe('Chassis Power is on')
      expect(log).toEqual([])
    })

    test('takes another port where its own is taken, and gives up where all are', async () => {
      const other = createSocket('udp4').bind(0, '127.0.0.1')
      await once(other, 'listening')
      onTestFinished(() => void other.close())
      const { port } = other.address()
      let tries = 0
      const choosePort = () => (tries++ === 0 ? Promise.resolve(port) : takePort())
      const { bmc, ipmi } = await started(new FakeChassis(), { choosePort })
      expect(bmc.port).not.toBe(port)
      expect(tries).toBe(2)
      expect(await ipmi('power', 'status')).toBe('Chassis Power is off')

      const dir = join(scratchDir(), 'bmc')
      await expect(started(new FakeChassis(), { dir, choosePort: async () => port })).rejects.toThrow(
        `ipmi_sim found no free port in 5 tries: port ${port} is taken.`,
      )
      expect(existsSync(dir)).toBe(false)
      expect(processesIn(dir)).toEqual([])
      const given = new AbortController()
      const signal = given.signal
      const endMeanwhile = () => {
        setImmediate(() => given.abort(new Error('The run has ended.')))
        return takePort()
      }
      await expect(started(new FakeChassis(), { dir, signal, choosePort: endMeanwhile })).rejects.toThrow(
        'The run has ended.',
      )
      expect(processesIn(dir)).toEqual([])
      expect(existsSync(dir)).toBe(false)
    })

    test('leaves nothing when it is closed, and tells when it ends by itself', async () => {
      const { bmc, dir, log } = await started()
      const [pid = 0, ...others] = processesIn(dir)
      expect(others).toEqual([])
      if (process.getuid?.() === 0) expect(statSync(`/proc/${pid}`).uid).toBe(nobody)
      expect(await isFree(bmc.port)).toBe(false)
      await Promise.all([bmc.close(), bmc.close()])
      expect([processId(pid), existsSync(dir), await isFree(bmc.port)]).toEqual([undefined, false, true])
      expect(log).toEqual([])

      const second = await started()
      const [lost = 0] = processesIn(second.dir)
      process.kill(lost, 'SIGKILL')
      await expect.poll(() => second.log).toEqual(['The BMC of boreas has ended: killed by SIGKILL'])
      await second.bmc.close()
      expect(existsSync(second.dir)).toBe(false)
    })

    test('dies with its parent', async () => {
      const dir = join(scratchDir(), 'bmc')
      const script = fileURLToPath(new URL('../support/bmc-alone.ts', import.meta.url))
      const parent = execa(process.execPath, [script, dir], { reject: false, buffer: false })
      onTestFinished(() => {
        parent.kill('SIGKILL')
        for (const pid of processesIn(dir)) process.kill(pid, 'SIGKILL')
      })
      const [port] = await once(parent.stdout, 'data')
      expect(processesIn(dir)).toHaveLength(1)
      parent.kill('SIGKILL')
      await parent
      await expect.poll(() => processesIn(dir)).toEqual([])
      expect(await isFree(Number(port))).toBe(true)
    })
  },
)

test.skipIf(!hasModules)(
  "Ansible's ipmi_power and ipmi_boot do all of it (skipped without community.general and pyghmi)",
  { timeout: 240_000 },
  async () => {
    const { bmc, chassis, ipmi } = await started()
    const run = async (module: string, args: string) => {
      const where = `name=${bmc.host} port=${bmc.port} user=${bmc.user} password=${bmc.password}`
      const variables = ['-e', 'ansible_python_interpreter=/usr/bin/python3']
      const { all } = await execa(
        'ansible',
        ['localhost', '-m', `community.general.${module}`, ...variables, '-a', `${where} ${args}`],
        { all: true, reject: false, timeout: 60_000 },
      )
      return all
    }
    const power = (state: string) => run('ipmi_power', `state=${state} timeout=20`)
    const changed = (state: string) => new RegExp(`CHANGED.*"powerstate": "${state}"`, 's')
    const same = /SUCCESS.*"changed": false/s
    expect(await power('on')).toMatch(changed('on'))
    expect(await power('on')).toMatch(same)
    expect(await power('reset')).toMatch(/CHANGED/)
    expect(await power('boot')).toMatch(/CHANGED/)
    expect(await power('shutdown')).toMatch(changed('off'))
    // Of one that is off it is another word for `on`.
    expect(await power('boot')).toMatch(changed('on'))
    expect(await power('off')).toMatch(changed('off'))
    expect(await power('off')).toMatch(same)
    expect(chassis.told).toEqual(['on', 'reset', 'reset', 'soft', 'on', 'off'])

    // They change it each time: ipmi_sim tells the device, but not that it counts.
    const told = {
      network: ['boot pxe', 'Force PXE'],
      hd: ['boot default', 'Force Boot from default Hard-Drive'],
      default: ['boot none', 'No override'],
    }
    for (const [device, [boot, shown]] of Object.entries(told)) {
      expect(await run('ipmi_boot', `bootdev=${device}`)).toMatch(
        new RegExp(`CHANGED.*"bootdev": "${device}"`, 's'),
      )
      expect(chassis.told.at(-1)).toBe(boot)
      expect(await ipmi('chassis', 'bootparam', 'get', '5')).toContain(shown)
    }
  },
)
