import { dirname, join } from 'node:path'
import { expect, raspiTest } from 'vitest-raspi'
import { machineFiles } from '../../src/machine/command-line.ts'
import { readMachineLog } from '../../src/machine/machine-log.ts'
import { hasIpmi, ipmi } from '../support/ipmi.ts'

// Power cycles in a row, as fast as they come, each in the midst of the boot of the one before.
// VITEST_RASPI_POWER_CYCLES=50 is what a release is tried with.

const count = Number(process.env.VITEST_RASPI_POWER_CYCLES ?? 5)

const test = raspiTest({ hosts: { compute00: { bmc: true, power: 'off' } } })

test.runIf(hasIpmi)(
  `${count} power cycles in a row by ipmitool: each starts the Pi anew, and it boots after the last`,
  { timeout: 300_000 + count * 60_000 },
  async ({ pi }) => {
    const log = join(dirname(pi.controlPath), machineFiles.log)
    const starts = () => readMachineLog(log).filter(({ what }) => what === 'starts').length
    const isOn = () => ipmi(pi, 'power', 'status')
    await ipmi(pi, 'power', 'on')
    await expect.poll(() => pi.run('true').then(() => 'up', String), { timeout: 240_000 }).toBe('up')
    const before = (await pi.run('cat /proc/sys/kernel/random/boot_id')).stdout
    expect(starts()).toBe(1)
    for (let cycle = 1; cycle <= count; cycle++) {
      expect(await ipmi(pi, 'power', 'cycle')).toBe('Chassis Power Control: Cycle')
      await expect.poll(starts, { timeout: 60_000 }).toBe(cycle + 1)
      await expect.poll(isOn, { timeout: 10_000 }).toBe('Chassis Power is on')
    }
    await expect
      .poll(
        () =>
          pi.run('cat /proc/sys/kernel/random/boot_id').then(
            ({ stdout }) => stdout,
            () => before,
          ),
        {
          timeout: 240_000,
          interval: 500,
        },
      )
      .not.toBe(before)
    expect(starts()).toBe(count + 1)
  },
)
