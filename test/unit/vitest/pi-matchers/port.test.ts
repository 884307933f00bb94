import { describe, expect, test } from 'vitest'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const listener = (address: string, port: number, ...processes: string[]) => ({ address, port, processes })
const pi = answeringTarget({
  listeners: [
    listener('::', 80, 'nginx'),
    listener('0.0.0.0', 22, 'sshd'),
    listener('127.0.0.1', 5432, 'postgres'),
    listener('::1', 5432, 'postgres'),
  ],
})

describe('toListenOn', () => {
  test('accepts any listener with all properties that are expected', async () => {
    await expectPi(pi).toListenOn(22)
    await expectPi(pi).toListenOn(22, { address: '0.0.0.0', process: 'sshd' })
    await expectPi(pi).toListenOn(5432, { address: '0:0:0:0:0:0:0:1', process: /^post/ })
    await expectPi(pi).toListenOn(5432, { address: '127.0.0.1' })
    await expectPi(pi).not.toListenOn(8080)
    await expectPi(pi).not.toListenOn(22, { process: 'dropbear' })
    await expectPi(pi).not.toListenOn(5432, { address: '0.0.0.0' })
  })

  test('lists who listens where nothing listens on the port', async () => {
    expect(await failure(() => expectPi(pi).toListenOn(8080, { process: 'app' }))).toMatchInlineSnapshot(`
      "expect(pi).toListenOn(8080) failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  process app
      Received:  nothing listens on tcp port 8080

      What listens on tcp:
        0.0.0.0:22 sshd
        [::]:80 nginx
        127.0.0.1:5432 postgres
        [::1]:5432 postgres"
    `)
    expect(
      await failure(() => expectPi(answeringTarget({ listeners: [] })).toListenOn(53, { protocol: 'udp' })),
    ).toMatchInlineSnapshot(`
      "expect(pi).toListenOn(53) failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  a listener on udp port 53
      Received:  nothing listens on udp port 53"
    `)
  })

  test('tells the address and the process that are there instead', async () => {
    expect(
      await failure(() => expectPi(pi).toListenOn(22, { address: '127.0.0.1', process: 'dropbear' })),
    ).toMatchInlineSnapshot(`
      "expect(pi).toListenOn(22) failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  address 127.0.0.1, process dropbear
      Received:  address 0.0.0.0, process sshd"
    `)
    expect(await failure(() => expectPi(pi).toListenOn(5432, { address: '0.0.0.0' }))).toMatchInlineSnapshot(`
      "expect(pi).toListenOn(5432) failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  address 0.0.0.0
      Received:  address 127.0.0.1

      Listeners on that port:
        127.0.0.1:5432 postgres
        [::1]:5432 postgres"
    `)
  })

  test('refuses what is no port or no address', async () => {
    expect(await failure(async () => expectPi(pi).toListenOn(0))).toContain('0 is no port')
    expect(await failure(async () => expectPi(pi).toListenOn(22, { address: 'localhost' }))).toContain(
      '"localhost" is no IP address',
    )
  })
})
