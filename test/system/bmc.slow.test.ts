import { dirname } from 'node:path'
import { execa } from 'execa'
import { expect, type Pi, raspiTest } from 'vitest-raspi'
import { killQemu } from '../support/engine.ts'
import { bmcOf, hasIpmi, ipmi } from '../support/ipmi.ts'

// Pis that are there without power, and are switched by their BMCs alone, with the program that everybody has for it.
const node = { bmc: true, power: 'off' } as const
const test = raspiTest({ hosts: { compute00: node, compute01: node } })

const bootId = async (pi: Pi) => (await pi.run('cat /proc/sys/kernel/random/boot_id')).stdout

/** Waits until it takes commands in another boot than `before`, and gives that. */
async function bootAfter(before: string, pi: Pi): Promise<string> {
  const isAnother = () =>
    bootId(pi).then(
      (now) => now !== before,
      () => false,
    )
  await expect.poll(isAnother, { timeout: 240_000, interval: 500 }).toBe(true)
  return bootId(pi)
}

test.runIf(hasIpmi)(
  'a BMC switches a Pi on and off, and shows its console',
  { timeout: 600_000 },
  async ({ pi, pis }) => {
    expect(await ipmi(pi, 'power', 'status')).toBe('Chassis Power is off')
    await expect(pi.run('true')).rejects.toThrow(`Pi ${pi.hostname} is off: it was never switched on.`)

    const other = pis.compute01
    for (const each of [pi, other]) expect(await ipmi(each, 'power', 'on')).toContain('Up/On')
    const before = [await bootAfter('', pi), await bootAfter('', other)] as const
    expect(await ipmi(pi, 'power', 'status')).toBe('Chassis Power is on')

    // Serial over LAN, both ways: what is typed is at the login prompt of the Pi's console.
    const console = execa('ipmitool', [...bmcOf(pi), 'sol', 'activate'], {
      buffer: false,
      reject: false,
      timeout: 600_000,
    })
    let seen = ''
    console.stdout.on('data', (chunk: Buffer) => {
      seen += chunk
    })
    console.stdin.write('\r')
    await expect.poll(() => seen, { timeout: 60_000 }).toMatch(/login:/)
    console.stdin.write('somebody\r')
    await expect.poll(() => seen, { timeout: 60_000 }).toContain('somebody')

    expect(await ipmi(pi, 'chassis', 'bootdev', 'pxe')).toContain('Set Boot Device to pxe')
    const started = performance.now()
    for (let round = 0; round < 10; round++) await ipmi(pi, 'power', 'status')
    expect((performance.now() - started) / 10).toBeLessThan(3_000)

    // The session goes on through another boot, and is of use in it. Both boot at the same time, as they take their time.
    seen = ''
    expect(await ipmi(pi, 'power', 'cycle')).toContain('Cycle')
    expect(await ipmi(other, 'power', 'reset')).toContain('Reset')
    await Promise.all([bootAfter(before[0], pi), bootAfter(before[1], other)])
    expect(seen).toMatch(/Linux version/)
    await expect.poll(() => seen, { timeout: 60_000 }).toMatch(/login:/)
    console.stdin.write('nobody\r')
    await expect.poll(() => seen, { timeout: 60_000 }).toContain('nobody')
    console.stdin.write('\r~.')
    await console
    expect(await pi.console()).toContain('login:')

    await ipmi(pi, 'power', 'soft')
    await expect.poll(() => pi.power.state(), { timeout: 240_000, interval: 500 }).toBe('off')
    expect(await ipmi(pi, 'power', 'status')).toBe('Chassis Power is off')
    await expect(pi.run('true')).rejects.toThrow('its system was shut down')

    await ipmi(pi, 'power', 'on')
    await expect.poll(() => pi.power.state(), { timeout: 60_000 }).toBe('on')
    await ipmi(pi, 'power', 'off')
    await expect.poll(() => pi.power.state(), { timeout: 60_000 }).toBe('off')

    // A Pi that is lost is off, and stays so: by its BMC as by the test.
    killQemu(dirname(other.controlPath))
    await expect.poll(() => ipmi(other, 'power', 'status'), { timeout: 60_000 }).toBe('Chassis Power is off')
    for (const action of ['on', 'cycle', 'reset'])
      await expect(ipmi(other, 'power', action)).rejects.toThrow('Unspecified error')
    await expect(other.power.on()).rejects.toThrow('is lost: QEMU was killed by SIGKILL')
    expect(await ipmi(other, 'power', 'status')).toBe('Chassis Power is off')
  },
)
