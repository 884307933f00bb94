import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import ssh2 from 'ssh2'
import { expect, type Pi, raspiTest } from 'vitest-raspi'
import { qemuOf } from '../support/processes.ts'

// What a frozen Pi must not hand down to its copies, and what a copy must not show of having been frozen.

const test = raspiTest({ hosts: { first: {}, second: {} } })

/** How late timers may be where nobody has said so, in ns. */
const usualSlack = slackOf('self')

test('two Pis of a run are two, and each is as if it had just booted', { timeout: 300_000 }, async ({
  pis,
}) => {
  const [first, second] = await Promise.all([look(pis.first), look(pis.second)])
  for (const thing of ['hostname', 'machineId', 'mac', 'hostKey', 'random'] as const)
    expect(first[thing], thing).not.toBe(second[thing])

  for (const [pi, seen] of [
    [pis.first, first],
    [pis.second, second],
  ] as const) {
    expect(seen.hostname).toBe(pi.hostname)
    expect(seen.machineId).toMatch(/^[0-9a-f]{32}$/)
    expect(seen.journal).toContain(`/var/log/journal/${seen.machineId}`)
    expect(seen.secondsOff).toBeLessThan(5)
    expect(seen.state).toBe('running')
    // slirp's server, before networkd has been told of the NIC.
    expect(seen.names).toContain('10.0.2.3')
    expect(seen.leftovers).toBe('')
    expect(seen.slack).toBe(usualSlack)
    expect(knownKey(pi)).toBe(seen.hostKey)
    // It has seconds of work yet, one Pi after the other.
    const serviceShell = async () => (await pi.run('pgrep -a -t ttyS1 || true')).stdout
    await expect.poll(serviceShell, { timeout: 60_000, interval: 1_000 }).toBe('')
  }
})

test('the host key is known beforehand: ssh2 takes this one and no other', { timeout: 300_000 }, async ({
  pis,
}) => {
  const [right, wrong] = [knownKey(pis.first), knownKey(pis.second)]
  expect(await login(pis.first, right)).toBe('pi')
  await expect(login(pis.first, wrong)).rejects.toThrow(/verification failed/i)
})

/** What tells Pis apart, and what could be left of the freezing. */
async function look(pi: Pi) {
  const before = Date.now()
  const { stdout } = await pi.run(
    [
      'date +%s%3N; hostname; cat /etc/machine-id /sys/class/net/eth0/address',
      'cut -d " " -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub',
      'head -c 16 /dev/urandom | od -An -tx1 | tr -d " "',
      'journalctl --header | grep -m 1 "File path"',
      'systemctl is-system-running --wait',
      'resolvectl dns eth0',
      // Ours: the unit of the service shell, its user's lingering, the place of the warming.
      'systemctl is-active -q debug-shell && echo debug-shell',
      'ls -d /run/vitest-raspi /var/lib/systemd/linger/* 2> /dev/null',
      'true',
    ].join('; '),
    { sudo: true },
  )
  const after = Date.now()
  const [date, hostname, machineId, mac, hostKey, random, journal, state, names, ...leftovers] = stdout
    .trimEnd()
    .split('\n')
  const clock = Number(date)
  const qemu = qemuOf(dirname(pi.controlPath))
  return {
    ...{ hostname, machineId, mac, hostKey, random, journal, state, names },
    leftovers: leftovers.join('\n'),
    // Its timers may be late while it starts. In a container nobody sees them.
    slack: qemu ? slackOf(qemu.pid) : usualSlack,
    // The guest looked at its clock at some moment between the two of the host's.
    secondsOff: Math.max(before - clock, clock - after, 0) / 1000,
  }
}

function slackOf(pid: number | 'self'): string {
  return readFileSync(`/proc/${pid}/timerslack_ns`, 'utf8').trim()
}

function knownKey({ connection }: Pi): string {
  return readFileSync(connection.knownHostsFile, 'utf8').trim().split(' ').slice(1).join(' ')
}

/** Logs in by ssh2 where the Pi's host key is `key`, and tells as whom. */
async function login({ connection }: Pi, key: string): Promise<string> {
  const client = new ssh2.Client()
  client.connect({
    ...{ host: connection.host, port: connection.port, username: connection.user, readyTimeout: 60_000 },
    privateKey: readFileSync(connection.privateKeyFile),
    algorithms: { serverHostKey: ['ssh-ed25519'] },
    hostVerifier: (offered: Buffer) => offered.toString('base64') === key.split(' ')[1],
  })
  try {
    await once(client, 'ready')
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    client.exec('id -un', (error, stream) => {
      if (error) return reject(error)
      let said = ''
      stream.on('data', (chunk: Buffer) => {
        said += chunk
      })
      stream.on('close', () => resolve(said.trim()))
    })
    return await promise
  } finally {
    client.end()
  }
}
