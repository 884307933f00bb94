import { execa } from 'execa'
import { expect, type Pi, raspiTest } from 'vitest-raspi'

// A Pi that is there without power, and is switched by its BMC alone, with the program that everybody has for it.
const test = raspiTest({ hosts: { compute00: { bmc: true, power: 'off' } } })

const hasIpmi = await Promise.all(
  ['ipmi_sim', 'ipmitool'].map((name) => execa(name, ['-V'], { reject: false, timeout: 10_000 })),
).then((results) => results.every(({ code }) => code !== 'ENOENT'))

const words = ({ bmc }: Pi) =>
  ['-I', 'lanplus', '-C', '3', '-H', bmc?.host, '-p', bmc?.port, '-U', bmc?.user, '-P', bmc?.password].map(
    String,
  )
const ipmi = async (pi: Pi, ...command: string[]) =>
  (await execa('ipmitool', [...words(pi), ...command], { timeout: 30_000 })).stdout

test.runIf(hasIpmi)(
  'a BMC switches a Pi on and off, and shows its console',
  { timeout: 600_000 },
  async ({ pi }) => {
    expect(await ipmi(pi, 'power', 'status')).toBe('Chassis Power is off')
    await expect(pi.run('true')).rejects.toThrow(`Pi ${pi.hostname} is off: it was never switched on.`)

    expect(await ipmi(pi, 'power', 'on')).toContain('Up/On')
    await expect
      .poll(() => pi.run('true').then(() => 'up', String), { timeout: 240_000, interval: 500 })
      .toBe('up')
    expect(await ipmi(pi, 'power', 'status')).toBe('Chassis Power is on')

    // Serial over LAN, both ways: what is typed is at the login prompt of the Pi's console.
    const console = execa('ipmitool', [...words(pi), 'sol', 'activate'], {
      buffer: false,
      reject: false,
      timeout: 120_000,
    })
    let seen = ''
    console.stdout.on('data', (chunk: Buffer) => {
      seen += chunk
    })
    console.stdin.write('\r')
    await expect.poll(() => seen, { timeout: 60_000 }).toMatch(/login:/)
    console.stdin.write('somebody\r')
    await expect.poll(() => seen, { timeout: 60_000 }).toContain('somebody')
    console.stdin.write('\r~.')
    await console
    expect(await pi.console()).toContain('login:')

    expect(await ipmi(pi, 'chassis', 'bootdev', 'pxe')).toContain('Set Boot Device to pxe')
    const started = performance.now()
    for (let round = 0; round < 10; round++) await ipmi(pi, 'power', 'status')
    expect((performance.now() - started) / 10).toBeLessThan(3_000)

    await ipmi(pi, 'power', 'soft')
    await expect.poll(() => pi.power.state(), { timeout: 240_000, interval: 500 }).toBe('off')
    expect(await ipmi(pi, 'power', 'status')).toBe('Chassis Power is off')
    await expect(pi.run('true')).rejects.toThrow('its system was shut down')

    await ipmi(pi, 'power', 'on')
    await expect.poll(() => pi.power.state(), { timeout: 60_000 }).toBe('on')
    await ipmi(pi, 'power', 'off')
    await expect.poll(() => pi.power.state(), { timeout: 60_000 }).toBe('off')
  },
)
