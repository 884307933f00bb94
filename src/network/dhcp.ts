import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDebug } from 'obug'
import { RaspiError } from '../errors.ts'
import { privateDir } from '../host/paths.ts'
import { supervise } from '../host/supervise.ts'

const debug = createDebug('raspi:dhcp')

const program = fileURLToPath(new URL('./dhcp.py', import.meta.url))

/** How long dnsmasq may take to start, in ms. On an idle host it takes 100. */
const startMs = 20_000

/** How much is kept of what it says. */
const keptCharacters = 2_000

/** What a DHCP server is started with. */
export interface DhcpOptions {
  /** The network, for people. */
  network: string
  /** Its port of the network's switch. */
  socket: string
  /** A directory of its own, for its leases. */
  dir: string
  /** dnsmasq's path. */
  dnsmasq: string
  /** Its own MAC and address, with the length of the network's prefix: `10.77.1.254/24`. */
  mac: string
  address: string
  /** The addresses it gives to who it does not know: the first and the last. */
  range: readonly [string, string]
  /** Who gets which address. */
  hosts: readonly { mac: string; address: string }[]
  /** Takes what goes wrong once it runs. */
  log: (line: string) => void
}

/** A DHCP server that answers until it is closed. */
export interface DhcpServer {
  /** Ends it: no process of it is left then. */
  close(): Promise<void>
}

/**
 * Starts dnsmasq on a network, in a network namespace of its own, so that nothing of this machine's networks is changed or
 * heard: it offers addresses and nothing else, neither a router nor names. Throws a `RaspiError` of kind `host` where this
 * host does not let us make the namespace or a tap in it.
 * https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html
 */
export async function serveDhcp(options: DhcpOptions): Promise<DhcpServer> {
  const { network, socket, mac, address, range, hosts, log } = options
  const stop = new AbortController()
  const dnsmasq = [
    ...[options.dnsmasq, '--keep-in-foreground', '--conf-file=/dev/null', '--log-facility=-', '--pid-file='],
    ...['--user=root', '--group=root', '--port=0', '--interface=lab0', '--bind-interfaces', '--no-ping'],
    ...[`--dhcp-leasefile=${join(privateDir(options.dir), 'leases')}`, '--dhcp-authoritative'],
    ...[`--dhcp-range=${range.join(',')},1h`, '--dhcp-option=option:router'],
    ...hosts.map((host) => `--dhcp-host=${host.mac},${host.address}`),
  ]
  // Who is not root is it in a user namespace: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const subprocess = supervise(
    'unshare',
    [...asRoot, '--net', '--', 'python3', program, socket, mac, address, ...dnsmasq],
    {
      ...{ stdin: 'ignore', stdout: 'ignore', stderr: 'pipe', buffer: false, reject: false },
      // dnsmasq speaks the user's language, and what it says is read below.
      ...{ env: { LC_ALL: 'C' }, cancelSignal: stop.signal },
    } as const,
  )
  let said = ''
  const started = new Promise<'started'>((resolve) => {
    subprocess.stderr.setEncoding('utf8').on('data', (text: string) => {
      debug('%s: %s', network, text.trimEnd())
      said = `${said}${text}`.slice(-keptCharacters)
      if (/DHCP, IP range/.test(said)) resolve('started')
    })
  })
  const ended = subprocess.then(
    () => 'ended' as const,
    () => 'ended' as const,
  )
  const late = AbortSignal.timeout(startMs)
  const isLate = new Promise<'late'>((resolve) => late.addEventListener('abort', () => resolve('late')))
  const outcome = await Promise.race([started, ended, isLate])
  const close = async () => {
    stop.abort()
    await ended
  }
  if (outcome === 'started') {
    void ended.then(() => {
      if (!stop.signal.aborted) log(`its DHCP server has ended: ${lastOf(said)}`)
    })
    return { close }
  }
  await close()
  const why = outcome === 'late' ? `dnsmasq did not start within ${startMs / 1000} s` : lastOf(said)
  throw new RaspiError('host', `The network ${network} can have no DHCP server here: ${why}`, {
    hint: 'It takes a network namespace with a tap in it, for which /dev/net/tun has to be open to you. A Pi can serve DHCP in its place: docs/lab.md tells how.',
  })
}

const lastOf = (said: string) => said.trim().split('\n').at(-1) || 'it does not say why'
