import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { LeaseNetworks } from '../../src/lab/lease-networks.ts'
import { boards } from '../../src/machine/boards.ts'
import { type DhcpOptions, serveDhcp } from '../../src/network/dhcp.ts'
import { scratchDir } from '../support/scratch-dir.ts'
import { broadcast, ethernet, Nic, pis, taken } from '../unit/network/nic.ts'

// dnsmasq on a segment, asked by clients that are written here: no Pi is wanted for it.

const dnsmasq = '/usr/sbin/dnsmasq'
const can = async (file: string, ...args: string[]) =>
  (await execa(file, args, { reject: false, timeout: 10_000 })).exitCode === 0
const hasDhcp =
  (await can(dnsmasq, '--version')) &&
  (await can('unshare', '--net', 'ip', 'tuntap', 'add', 'dev', 'lab0', 'mode', 'tap'))

const bytesOf = (mac: string) => Buffer.from(mac.replaceAll(':', ''), 'hex')
const sum = (words: Buffer) => {
  let total = 0
  for (let at = 0; at < words.length; at += 2) total += words.readUInt16BE(at)
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16)
  return ~total & 0xffff
}

/** A DHCPDISCOVER of `mac` as a frame: RFC 2131, in UDP from port 68 to 67, in IPv4 to all. */
function discover(mac: string): Buffer {
  const dhcp = Buffer.alloc(300)
  dhcp.set([1, 1, 6, 0, 0xca, 0xfe, 0, 1], 0)
  dhcp.set(bytesOf(mac), 28)
  dhcp.set([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 55, 3, 1, 3, 6, 255], 236)
  const udp = Buffer.concat([Buffer.from([0, 68, 0, 67, 0, 0, 0, 0]), dhcp])
  udp.writeUInt16BE(udp.length, 4)
  const ip = Buffer.from([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255])
  ip.writeUInt16BE(ip.length + udp.length, 2)
  ip.writeUInt16BE(sum(ip), 10)
  return ethernet(broadcast, mac, 0x0800, Buffer.concat([ip, udp]))
}

/** What the next offer says: the address, and the options by their numbers. */
async function offer(nic: Nic): Promise<{ address: string; options: Map<number, Buffer> }> {
  for (;;) {
    const [frame = Buffer.alloc(0)] = await nic.take(1)
    const isDhcp = frame.readUInt16BE(12) === 0x0800 && frame[23] === 17 && frame.readUInt16BE(36) === 68
    if (!isDhcp) continue
    const dhcp = frame.subarray(42)
    const options = new Map<number, Buffer>()
    for (let at = 240; dhcp[at] !== 255 && at < dhcp.length; at += 2 + (dhcp[at + 1] ?? 0))
      options.set(dhcp[at] ?? 0, dhcp.subarray(at + 2, at + 2 + (dhcp[at + 1] ?? 0)))
    return { address: dhcp.subarray(16, 20).join('.'), options }
  }
}

async function served(given: Partial<DhcpOptions> = {}) {
  const lab = await pis(['known', 'stranger'])
  const port = await lab.segment.port('dhcp')
  const logged: string[] = []
  const dir = join(scratchDir(), 'dhcp')
  const server = await serveDhcp({
    ...{ network: 'pxe', socket: port.path, dir, dnsmasq, mac: 'b8:27:eb:00:00:fe' },
    ...{ address: '10.77.1.254/24', range: ['10.77.1.200', '10.77.1.250'] },
    hosts: [{ mac: lab.nics.known.mac, address: '10.77.1.11' }],
    log: (line) => logged.push(line),
    ...given,
  })
  onTestFinished(() => server.close())
  return { ...lab, server, port, dir, logged }
}

/** The pids of what runs with `text` in its command line. */
const running = (text: string) =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
    } catch {
      return false
    }
  })

test.runIf(hasDhcp)(
  'who is known gets his address, others one of the range, and nobody a router',
  {
    timeout: 60_000,
  },
  async () => {
    const { nics, segment, server, port, dir, logged } = await served()
    nics.known.send(discover(nics.known.mac))
    const { address, options } = await offer(nics.known)
    expect(address).toBe('10.77.1.11')
    expect(options.get(53)).toEqual(Buffer.from([2]))
    expect(options.get(1)).toEqual(Buffer.from([255, 255, 255, 0]))
    expect(options.has(3)).toBe(false)
    expect(options.has(6)).toBe(false)
    nics.stranger.send(discover(nics.stranger.mac))
    expect((await offer(nics.stranger)).address).toMatch(/^10\.77\.1\.2[0-5]\d$/)
    // It says nothing that it was not asked for.
    expect(segment.frames({ from: 'dhcp' }).length).toBeLessThanOrEqual(4)
    await taken(segment, 'known', 2)

    expect(running(dir).length).toBeGreaterThan(0)
    await server.close()
    await expect.poll(() => running(dir)).toEqual([])
    expect(port.connected).toBe(false)
    expect(logged).toEqual([])
  },
)

test.runIf(hasDhcp)(
  'a lease whose network has DHCP gives each Pi the address that it is known by',
  {
    timeout: 60_000,
  },
  async () => {
    const wanted = {
      ...{ seed: 1, networks: [{ name: 'mgmt' }, { name: 'pxe', dhcp: true }] },
      pis: [
        { name: 'controller00', networks: ['mgmt', 'pxe'] },
        { name: 'compute00', networks: ['pxe'] },
      ],
    }
    const dir = join(scratchDir(), 'n')
    const networks = await LeaseNetworks.open(wanted, boards.raspi3b, dir, () => {})
    onTestFinished(() => networks.close())
    for (const [pi, address] of [
      ['controller00', '10.77.2.11'],
      ['compute00', '10.77.2.12'],
    ] as const) {
      const known = networks.of(pi)?.nics.find(({ network }) => network === 'pxe')
      expect(known).toMatchObject({ address: `${address}/24`, dhcp: true })
      const nic = await Nic.connect(known?.socket ?? '', known?.mac)
      nic.send(discover(nic.mac))
      expect((await offer(nic)).address).toBe(address)
    }
    expect(networks.of('compute00')?.hosts).toContain('10.77.2.11 controller00 controller00.pxe')
    await networks.close()
    await expect.poll(() => running(dir)).toEqual([])
  },
)

test.runIf(hasDhcp)(
  'it ends with its network, and where it dies before that is told',
  {
    timeout: 60_000,
  },
  async () => {
    const { dir, logged } = await served()
    for (const pid of running(dir)) if (isDnsmasq(pid)) process.kill(Number(pid), 'SIGKILL')
    await expect.poll(() => logged).toHaveLength(1)
    expect(logged[0]).toMatch(/^its DHCP server has ended: /)

    const other = await served()
    await other.segment.close()
    await expect.poll(() => running(other.dir)).toEqual([])
  },
)

test.runIf(hasDhcp)(
  'where it cannot start it says why, and nothing is left',
  { timeout: 60_000 },
  async () => {
    const failed = served({ address: 'nowhere' })
    await expect(failed).rejects.toMatchObject({ kind: 'host' })
    await expect(failed).rejects.toThrow(
      /^The network pxe can have no DHCP server here: ip address add nowhere dev lab0 failed\n/,
    )
  },
)

function isDnsmasq(pid: string): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(dnsmasq)
}
