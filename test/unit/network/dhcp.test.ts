import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { serveDhcp } from '../../../src/network/dhcp.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

// For dnsmasq itself see test/host/dhcp.test.ts.

test('whatever language the user speaks, the DHCP server is seen to start', async () => {
  const dir = scratchDir()
  const program = `#!/bin/sh
if [ "$LC_ALL" = C ]; then echo 'dnsmasq-dhcp: DHCP, IP range 10.77.1.200 -- 10.77.1.250' >&2; exec sleep 60; fi
echo 'dnsmasq-dhcp: DHCP, IP-Bereich 10.77.1.200 -- 10.77.1.250' >&2
`
  writeFileSync(join(dir, 'unshare'), program, { mode: 0o755 })
  vi.stubEnv('PATH', `${dir}:${process.env.PATH}`)
  vi.stubEnv('LC_ALL', 'de_DE.UTF-8')
  onTestFinished(() => void vi.unstubAllEnvs())
  const server = await serveDhcp({
    ...{ network: 'pxe', socket: '/none', dir: join(dir, 'dhcp'), dnsmasq: 'dnsmasq' },
    ...{ mac: 'b8:27:eb:00:00:fe', address: '10.77.1.254/24', range: ['10.77.1.200', '10.77.1.250'] },
    ...{ hosts: [], log: () => {} },
  })
  await expect(server.close()).resolves.toBeUndefined()
})
