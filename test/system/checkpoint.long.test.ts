import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, type Pi, raspiTest, test } from 'vitest-raspi'
import { processesOf } from '../support/processes.ts'

const unit = readFileSync(join(import.meta.dirname, '../fixtures/system/kept.service'), 'utf8')

test('a Pi goes back to its checkpoint as often as wanted', { timeout: 900_000 }, async ({ pi, ansible }) => {
  const identity = await identityOf(pi)
  await pi.writeFile('/etc/systemd/system/kept.service', unit)
  await pi.writeFile('/etc/kept', 'before')
  await pi.run('systemctl enable --now kept', { sudo: true })
  await pi.run('sleep 1000 > /dev/null 2>&1 & echo 1 > /run/volatile', { sudo: true })

  const clean = await pi.checkpoint('clean')
  expect(String(clean)).toBe('checkpoint clean of pi')
  await isAsBefore()
  // It has booted: what is only in memory is not kept.
  await expect(pi).not.toHaveFile('/run/volatile')

  await destroy()
  await pi.restore(clean)
  await isAsBefore()
  expect(await ansible.playbook('test/fixtures/system/site.yml')).toSucceed()

  await destroy()
  await pi.run('systemctl --no-block poweroff', { sudo: true, reject: false }).catch(() => {})
  const machine = `${dirname(pi.controlPath)}/qmp`
  await expect.poll(() => processesOf(machine), { timeout: 120_000, interval: 500 }).toEqual([])
  await expect(pi.checkpoint()).rejects.toThrow(/^It can have no checkpoint: Pi pi-\d+ is off\.$/m)
  await pi.restore(clean)
  await isAsBefore()
  await expect(pi).not.toHaveFile('/etc/motd', { contains: 'tested' })

  async function isAsBefore() {
    expect(await identityOf(pi)).toEqual(identity)
    await Promise.all([
      expect(pi).toHaveFile('/etc/kept', { content: 'before' }),
      expect(pi).toHaveService('kept', { running: true, enabled: true }),
      expect(pi).toHaveNoFailedUnits(),
    ])
    // And not the time at which it was frozen.
    const before = Date.now()
    const clock = Number((await pi.run('date +%s%3N')).stdout)
    expect(clock).toBeGreaterThan(before - 10_000)
    expect(clock).toBeLessThan(Date.now() + 10_000)
  }

  async function destroy() {
    await pi.run('systemctl disable --now kept && rm /etc/systemd/system/kept.service /etc/kept', {
      sudo: true,
    })
    await pi.run('echo other > /etc/hostname; rm -rf /etc/ssh', { sudo: true })
  }
})

// The second Pi of this run comes from the pool, where it has settled already: what comes back has not.
test('a Pi that was kept ready knows its NIC again once it has come back', { timeout: 600_000 }, async ({
  pi,
}) => {
  await pi.restore(await pi.checkpoint())
  const ofNic = async () => (await pi.run('networkctl --no-pager status eth0', { reject: false })).stdout
  await expect.poll(ofNic, { timeout: 60_000, interval: 1_000 }).toContain('routable (configured)')
})

raspiTest({ hosts: { controller: { networks: ['mgmt', 'ext'] }, worker: { networks: ['mgmt'] } } })(
  'a Pi that comes back is on its networks at once',
  { timeout: 600_000 },
  async ({ pis: { controller, worker } }) => {
    await controller.restore(await controller.checkpoint())
    await Promise.all([worker.run('ping -n -c 2 controller'), controller.run('ping -n -c 2 worker')])
    for (const { interface: name, mac, address } of controller.nics) {
      const { stdout } = await controller.run(
        `ip -o address show dev ${name}; cat /sys/class/net/${name}/address`,
      )
      expect(stdout).toContain(`inet ${address} `)
      expect(stdout).toContain(mac)
    }
  },
)

/** What must not change, but for the clock. ssh has checked the host key strictly before it ran this. */
async function identityOf(pi: Pi) {
  const files =
    'hostname; cat /etc/hostname /etc/hosts /etc/machine-id /etc/ssh/*.pub /sys/class/net/e*/address'
  return { ...pi.connection, files: (await pi.run(files)).stdout }
}
