import { expect, type Pi, raspiTest } from 'vitest-raspi'
import { onDocker } from '../support/engine.ts'
import { HostServers, hostAddress, lookFor, type Sought } from '../support/host-servers.ts'

// Two Pis on a network, one of them on another as well; the network's faults by what the guests notice of them.
const open = raspiTest()
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

/** Servers of this host, and where a guest would find them. */
async function servers() {
  const listening = new HostServers()
  const [onLoopback, onAll] = [await listening.listen('127.0.0.1'), await listening.listen('0.0.0.0')]
  const sought = (host: string, { tcp, udp }: { tcp: number; udp: number }): Sought[] => [
    { kind: 'tcp', host, port: tcp },
    { kind: 'udp', host, port: udp },
  ]
  const outside = hostAddress()
  const places = [
    ...[...sought('10.0.2.2', onLoopback), ...sought('10.0.2.2', onAll)],
    ...(outside ? sought(outside, onAll) : []),
  ]
  return { listening, outside, places }
}

/** Which of `places` answer the guest. */
const reached = async (pi: Pi, places: readonly Sought[]) =>
  (await pi.run('python3 -', { input: lookFor(places), timeoutMs: 60_000 })).stdout
    .split('\n')
    .filter(Boolean)

// The first, as there need be no room for another Pi beside those that the others share. In a container the loopback is its own.
open.skipIf(onDocker)(
  'with the internet servers of this machine are reached',
  { timeout: 180_000 },
  async ({ pi }) => {
    const { listening, places } = await servers()
    await using _ = listening
    const expected = places.map(({ kind, host, port }) => `${kind} ${host}:${port}`)
    expect((await reached(pi, places)).sort()).toEqual(expected.sort())
    expect(listening.seen.sort()).toEqual(places.map(({ kind }) => kind).sort())
  },
)

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
  const { listening, outside, places } = await servers()
  await using _ = listening
  // Nobody has told it of a router; it gets nowhere by one that it has found out itself, either.
  await pis.worker.run('ip route replace default via 10.0.2.2', { sudo: true })
  const nameServer = (['tcp', 'udp'] as const).map((kind) => ({ kind, host: '10.0.2.3', port: 53 }))
  expect(await reached(pis.worker, [...places, ...nameServer])).toEqual([])
  const lookUp = await pis.worker.run('timeout 5 getent hosts deb.debian.org', { reject: false })
  expect([lookUp.stdout, lookUp.exitCode === 0]).toEqual(['', false])
  // 10.0.2.2 itself is QEMU, which always answers a ping.
  if (outside) expect(received(await ping(pis.worker, outside, 1))).toBe(0)
  expect(listening.seen).toEqual([])
  await pis.worker.run('ip route del default via 10.0.2.2', { sudo: true })
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
