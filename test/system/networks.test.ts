import { expect, type Network, type Pi, raspiTest } from 'vitest-raspi'
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

/** What the guest's ping says. */
async function ping(from: Pi, to: string, args = '-c 3') {
  const { stdout } = await from.run(`ping -n -i 0.2 -W 1 ${args} ${to}`, { reject: false, sudo: true })
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? Number.NaN)
  return {
    received: number(/(\d+) received/),
    duplicates: number(/\+(\d+) duplicates/),
    min: number(/mdev = ([\d.]+)/),
    /** From the first request to the last answer, in ms. */
    total: number(/ time (\d+)ms/),
    mdev: number(/mdev = [\d.]+\/[\d.]+\/[\d.]+\/([\d.]+)/),
  }
}

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
  expect(await ping(controller, 'worker')).toMatchObject({ received: 3 })
  expect(await ping(worker, 'controller.mgmt')).toMatchObject({ received: 3 })
  const requests = await networks.mgmt.frames({ protocol: 'icmp', from: 'controller', to: 'worker' })
  expect(requests.length).toBeGreaterThanOrEqual(6)
  // What is on one network is not on another.
  expect(await networks.ext.frames({ protocol: 'icmp' })).toEqual([])
})

test('without the internet nothing of this machine is reached', { timeout: 180_000 }, async ({ pis }) => {
  const { listening, outside, places } = await servers()
  await using _ = listening
  // Nobody has told it of a router; it gets nowhere by one that it has found out itself, either.
  const route = 'ip route replace default via 10.0.2.2'
  await pis.worker.run(route, { sudo: true })
  const nameServer = (['tcp', 'udp'] as const).map((kind) => ({ kind, host: '10.0.2.3', port: 53 }))
  expect(await reached(pis.worker, [...places, ...nameServer])).toEqual([])
  const lookUp = await pis.worker.run('timeout 5 getent hosts example.org', { reject: false })
  expect([lookUp.stdout, lookUp.exitCode === 0]).toEqual(['', false])
  // 10.0.2.2 itself is QEMU, which always answers a ping.
  if (outside) {
    const options = { sudo: true, reject: false }
    const pinged = await pis.worker.run(`${route}; ping -n -c 1 -W 2 ${outside}`, options)
    expect(pinged.stdout).not.toMatch(/[1-9] received/)
  }
  expect(listening.seen).toEqual([])
})

type Seen = Awaited<ReturnType<typeof ping>>

const faults: [
  name: string,
  start: (network: Network) => Promise<AsyncDisposable>,
  /** Of ping, and what the guest sees by them. */
  args: string,
  broken: (seen: Seen) => void,
  mended?: (seen: Seen) => void,
][] = [
  [
    'a link that is unplugged carries nothing',
    (network) => network.unplug('worker'),
    '-c 3',
    ({ received }) => expect(received).toBe(0),
  ],
  [
    'what is duplicated comes twice',
    (network) => network.duplicate({ percent: 100, from: 'worker' }),
    '-c 3',
    ({ duplicates }) => expect(duplicates).toBeGreaterThanOrEqual(2),
  ],
  [
    'what is delayed comes late, and with jitter not always as late',
    (network) => network.delay({ ms: 700, jitterMs: 200 }),
    '-c 15 -W 4',
    ({ min, mdev }) => {
      expect(min).toBeGreaterThan(1_000)
      expect(mdev).toBeGreaterThan(60)
    },
    ({ min }) => expect(min).toBeLessThan(700),
  ],
  // Ten frames of a kilobyte take 5.2 s, however slowly a busy guest sends them: a single answer can be back much sooner.
  [
    'a link with a rate carries no more',
    (network) => network.rate({ bytesPerSecond: 2_000, port: 'worker' }),
    '-c 10 -l 10 -s 1000 -w 60',
    ({ received, total }) => {
      expect(received).toBeGreaterThanOrEqual(10)
      expect(total).toBeGreaterThan(5_000)
    },
    ({ total }) => expect(total).toBeLessThan(5_000),
  ],
]
test.for(faults)(
  '%s, until it is undone',
  { timeout: 180_000 },
  async ([, start, args, broken, mended], { pis, networks }) => {
    {
      await using _ = await start(networks.mgmt)
      broken(await ping(pis.controller, 'worker', args))
    }
    const seen = await ping(pis.controller, 'worker', args)
    const sent = Number(/-c (\d+)/.exec(args)?.[1])
    // With a deadline ping sends until as many are answered: one more answer may be on its way.
    if (args.includes('-w')) expect(seen.received).toBeGreaterThanOrEqual(sent)
    else expect(seen.received).toBe(sent)
    expect(seen.duplicates).toBeNaN()
    mended?.(seen)
  },
)

test('loss loses some, and with the same seed the same', { timeout: 180_000 }, async ({ pis, networks }) => {
  const lossy = async () => {
    const fault = await networks.mgmt.loss({ percent: 40, from: 'controller', to: 'worker' })
    const since = Date.now()
    const { received } = await ping(pis.controller, 'worker', '-c 15')
    const frames = await networks.mgmt.frames({ from: 'controller', since })
    await fault.undo()
    expect(received).toBeGreaterThan(0)
    expect(received).toBeLessThan(15)
    // ARP may have had a question of its own in one of both.
    return frames.slice(0, 15).map(({ to }) => to.length)
  }
  const first = await lossy()
  expect(await lossy()).toEqual(first)
  expect(await ping(pis.controller, 'worker', '-c 10')).toMatchObject({ received: 10 })
})

test('a partition that a test leaves parts', { timeout: 180_000 }, async ({ pis, networks }) => {
  await networks.mgmt.partition([['controller'], ['worker']])
  expect(await ping(pis.controller, 'worker')).toMatchObject({ received: 0 })
  await expect(networks.mgmt.unplug('nobody')).rejects.toThrow('Ports are: controller, worker.')
})

test('and its end is not left to the next', { timeout: 180_000 }, async ({ pis }) => {
  expect(await ping(pis.controller, 'worker')).toMatchObject({ received: 3 })
})
