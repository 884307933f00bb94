import { expect, type Pi, raspiTest } from 'vitest-raspi'

// Two Pis on a network, one of them on another as well; the network's faults by what the guests notice of them.
const test = raspiTest({
  scope: 'file',
  internet: false,
  hosts: {
    controller: { networks: ['mgmt', 'ext'] },
    worker: { networks: ['mgmt'] },
  },
})

const ping = (from: Pi, to: string, count = 3) =>
  from.run(`ping -n -c ${count} -i 0.3 -W 2 ${to}`, { reject: false, sudo: true })
const received = ({ stdout }: { stdout: string }) => Number(/(\d+) received/.exec(stdout)?.[1])

test('Pis on a network reach each other by name, and have what the plan says', { timeout: 300_000 }, async ({
  pis,
  networks,
}) => {
  const { controller, worker } = pis
  expect(controller.nics.map(({ network, interface: name }) => [network, name])).toEqual([
    ['mgmt', 'eth1'],
    ['ext', 'eth2'],
  ])
  for (const pi of [controller, worker]) {
    for (const { interface: name, mac, address } of pi.nics) {
      const { stdout } = await pi.run(`ip -o address show dev ${name}; cat /sys/class/net/${name}/address`)
      expect(stdout).toContain(`inet ${address} `)
      expect(stdout).toContain(mac)
    }
  }
  expect(received(await ping(controller, 'worker'))).toBe(3)
  expect(received(await ping(worker, 'controller.mgmt'))).toBe(3)
  const requests = await networks.mgmt.frames({ protocol: 'icmp', from: 'controller', to: 'worker' })
  expect(requests.length).toBeGreaterThanOrEqual(6)
  // What is on one network is not on another.
  expect(await networks.ext.frames({ protocol: 'icmp' })).toEqual([])
})

test('without the internet nothing of this machine is reached', { timeout: 180_000 }, async ({ pis }) => {
  const script =
    'for to in 10.0.2.2/22 10.0.2.3/53 1.1.1.1/53; do timeout 3 bash -c "echo > /dev/tcp/$to" && echo "reached $to"; done; true'
  const { stdout } = await pis.worker.run(script, { timeoutMs: 60_000 })
  expect(stdout).toBe('')
})

test('a partition parts, loss loses, and both end', { timeout: 300_000 }, async ({ pis, networks }) => {
  const { controller } = pis
  const parted = await networks.mgmt.partition([['controller'], ['worker']])
  expect(received(await ping(controller, 'worker'))).toBe(0)
  await parted.undo()
  expect(received(await ping(controller, 'worker'))).toBe(3)
  const lossy = await networks.mgmt.loss({ percent: 100, from: 'worker', to: 'controller' })
  expect(received(await ping(controller, 'worker'))).toBe(0)
  expect((await networks.mgmt.statistics()).worker?.received.frames).toBeGreaterThan(0)
  await lossy.undo()
  const slow = await networks.mgmt.delay({ ms: 700 })
  const { stdout } = await ping(controller, 'worker')
  expect(Number(/min\/avg\/max\/mdev = ([\d.]+)/.exec(stdout)?.[1])).toBeGreaterThan(1_300)
  await slow.undo()
  await expect(networks.mgmt.unplug('nobody')).rejects.toThrow('Ports are: controller, worker.')
})

test('after a reboot addresses are the same, and NICs report to the system no more than they have to', {
  timeout: 300_000,
}, async ({ pis }) => {
  const { controller } = pis
  await controller.power.reset()
  await expect.poll(async () => received(await ping(controller, 'worker')), { timeout: 60_000 }).toBe(3)
  // On `virt`, which has no USB, there are none.
  const count = "awk '/usb/ { for (i = 2; i <= 5; i++) sum += $i } END { print sum + 0 }' /proc/interrupts"
  const reports = async () => {
    const { stdout } = await controller.run(`${count}; sleep 3; ${count}`)
    const [before = 0, after = 0] = stdout.split('\n').map(Number)
    return after - before
  }
  await expect.poll(reports, { timeout: 60_000 }).toBeLessThan(1_000)
})
