import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { chassisScript, simFiles } from '../../../src/bmc/config.ts'
import { Requests } from '../../../src/bmc/requests.ts'
import { SimDir } from '../../../src/bmc/sim-dir.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { FakeChassis } from './fake-chassis.ts'

/** The files of a BMC, with the script called as ipmi_sim calls it: through a shell, in its directory. */
async function served(chassis = new FakeChassis()) {
  const dir = new SimDir(join(scratchDir(), 'bmc'))
  dir.write(simFiles.script, chassisScript)
  const log: string[] = []
  const requests = await Requests.serve(dir, chassis, (line) => log.push(line))
  onTestFinished(() => requests.close())
  const script = async (words: string) => {
    const { exitCode, stdout } = await execa('/bin/sh', ['-c', `/bin/sh ./${simFiles.script} ${words}`], {
      ...{ cwd: dir.path, reject: false, timeout: 5_000 },
    })
    return exitCode === 0 ? stdout : `exit code ${exitCode}`
  }
  return { dir, chassis, log, requests, script }
}

test('the script answers what the chassis is', async () => {
  const { chassis, script } = await served()
  expect(await script('get power')).toBe('power:0')
  expect(await script('get boot')).toBe('boot:none')
  chassis.state = 'on'
  chassis.boot = 'pxe'
  await expect.poll(() => script('get power')).toBe('power:1')
  expect(await script('get boot')).toBe('boot:pxe')
})

test('the script hands on what is to be done, in its order', async () => {
  const { chassis, script, log } = await served()
  const calls = ['power "1"', 'reset "1"', 'shutdown "1"', 'boot "cdrom"', 'identify "5 0"', 'power "0"']
  for (const call of calls) expect(await script(`set ${call}`)).toBe('')
  await expect.poll(() => chassis.told).toEqual(['on', 'reset', 'soft', 'boot cdrom', 'off'])
  expect(await script('get boot')).toBe('boot:cdrom')
  expect(log).toEqual([])
})

test('nothing of what is no device or no question is done', async () => {
  const { chassis, script } = await served()
  expect(await script('set boot "floppy"')).toBe('')
  expect(await script('get temperature')).toMatch(/exit code [12]/)
  expect(await script('unset power')).toBe('exit code 2')
  await script('set reset "1"')
  await expect.poll(() => chassis.told).toEqual(['reset'])
})

test('a chassis that does not know its state makes the script fail, and is told of once', async () => {
  const { chassis, script, log } = await served()
  chassis.power = () => {
    throw new Error('the Pi is lost')
  }
  await expect.poll(() => script('get power')).toBe('exit code 1')
  expect(await script('get boot')).toBe('boot:none')
  await delay(300)
  expect(log).toEqual(['cannot tell the power of its Pi: the Pi is lost'])
  chassis.power = () => 'on'
  await expect.poll(() => script('get power')).toBe('power:1')
})

test('what is asked of a chassis that is lost is refused, and comes to the log', async () => {
  const { chassis, script, log } = await served()
  chassis.set = async () => {
    throw new Error('Pi boreas is lost')
  }
  chassis.lost = true
  await expect.poll(() => script('set power 1')).toBe('exit code 1')
  expect(await script('set shutdown 1')).toBe('exit code 1')
  expect(await script('get power')).toBe('power:0')
  await expect
    .poll(() => log.slice(-2))
    .toEqual([
      'could not switch the power (on): Pi boreas is lost',
      'could not switch the power (soft): Pi boreas is lost',
    ])
  // It is only kept, and told.
  expect(await script('set boot pxe')).toBe('')
  await expect.poll(() => script('get boot')).toBe('boot:pxe')
})

test('what a chassis fails to do is logged, and the next is done', async () => {
  const { chassis, script, log } = await served()
  chassis.set = () => {
    throw new Error('no such Pi')
  }
  chassis.setBootDevice = () => {
    throw new Error('no such device')
  }
  await script('set power 1')
  await expect.poll(() => log).toEqual(['could not switch the power (on): no such Pi'])
  chassis.set = async () => {
    throw new Error('it is gone')
  }
  await script('set shutdown 1')
  await script('set boot pxe')
  await expect
    .poll(() => log.slice(1))
    .toEqual([
      'could not switch the power (soft): it is gone',
      'could not set the boot device (pxe): no such device',
    ])
})

test('an action that takes its time keeps no other waiting', async () => {
  const { chassis, script } = await served()
  const told: string[] = []
  chassis.set = (action) => {
    told.push(action)
    return action === 'soft' ? new Promise(() => {}) : Promise.resolve()
  }
  await script('set shutdown 1')
  await script('set power 0')
  await expect.poll(() => told).toEqual(['soft', 'off'])
})

test('a script that comes after the end waits for nobody', async () => {
  const { chassis, requests, script } = await served()
  requests.close()
  expect(await script('set power 1')).toBe('')
  expect(await script('get power')).toBe('power:0')
  expect(chassis.told).toEqual([])
})

test('a directory that cannot be written to is told of, and ends nothing', async () => {
  const { dir, chassis, log } = await served()
  rmSync(dir.path, { recursive: true })
  chassis.state = 'on'
  await expect.poll(() => log).toEqual([expect.stringMatching(/^cannot tell the power .* ENOENT/)])
})

test('the files are for ipmi_sim alone, and a directory that was there before is refused and kept', async () => {
  const { dir } = await served()
  expect(statSync(dir.path).mode & 0o777).toBe(0o700)
  for (const file of readdirSync(dir.path)) {
    const { mode, uid } = statSync(join(dir.path, file))
    expect([file, mode & 0o777, uid]).toEqual([file, 0o600, statSync(dir.path).uid])
  }
  const other = join(scratchDir(), 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'precious'), '')
  expect(() => new SimDir(other)).toThrow(/EEXIST/)
  expect(readdirSync(other)).toEqual(['precious'])
})
