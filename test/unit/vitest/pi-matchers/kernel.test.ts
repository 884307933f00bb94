import { describe, expect, test } from 'vitest'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const loop = { '/proc/modules': 'loop 40960 0 - Live 0x0\n', '/sys/module/loop/parameters/max_loop': '8\n' }
const modinfo = (stdout: string, exitCode = 0) => ({ stdout, exitCode, stderr: '' })
const there = modinfo('/lib/modules/6.1.0/kernel/drivers/i2c/i2c-dev.ko\n')

describe('toHaveKernelModule', () => {
  test('accepts a loaded module, a built-in one, and parameters', async () => {
    const pi = answeringTarget({ texts: loop }, modinfo('/lib/modules/loop.ko\n'))
    await expectPi(pi).toHaveKernelModule('loop', { parameters: { max_loop: 8 } })
    await expectPi(pi).not.toHaveKernelModule('loop', { parameters: { max_loop: 16 } })
    const hyphens = answeringTarget({ texts: { '/proc/modules': 'i2c_dev 16384 0 - Live 0x0\n' } }, there)
    await expectPi(hyphens).toHaveKernelModule('i2c-dev')
    await expectPi(answeringTarget({ texts: {} }, modinfo('(builtin)\n'))).toHaveKernelModule('ext4')
    await expectPi(answeringTarget({ texts: loop }, there)).not.toHaveKernelModule('loo')
  })

  test('tells whether it could be loaded', async () => {
    const pi = answeringTarget({ texts: loop }, there)
    expect(await failure(() => expectPi(pi).toHaveKernelModule('i2c-dev'))).toMatchInlineSnapshot(`
      "expect(pi).toHaveKernelModule("i2c-dev") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  loaded
      Received:  not loaded, but there: /lib/modules/6.1.0/kernel/drivers/i2c/i2c-dev.ko"
    `)
    const none = answeringTarget({ texts: loop }, modinfo('', 1))
    expect(await failure(() => expectPi(none).toHaveKernelModule('i2c-def'))).toContain('no such module')
  })
})

describe('toHaveSysctl', () => {
  const file = '/proc/sys/net/ipv4/ip_forward'
  const pi = answeringTarget({ texts: { [file]: '1\n', '/proc/sys/net/ipv4/conf/eth0.1/forwarding': '0\n' } })

  test('compares values as numbers, texts and expressions, however the key is written', async () => {
    await expectPi(pi).toHaveSysctl('net.ipv4.ip_forward', 1)
    await expectPi(pi).toHaveSysctl('net/ipv4/ip_forward', '1')
    await expectPi(pi).toHaveSysctl('net.ipv4.conf.eth0/1.forwarding', /^0$/)
    await expectPi(pi).not.toHaveSysctl('net.ipv4.ip_forward', 0)
    const range = answeringTarget({ texts: { '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n' } })
    await expectPi(range).toHaveSysctl('net.ipv4.ip_local_port_range', '32768 60999')
  })

  test('tells the value, or that there is none', async () => {
    expect(await failure(() => expectPi(pi).toHaveSysctl('net.ipv4.ip_forward', 0))).toMatchInlineSnapshot(`
      "expect(pi).toHaveSysctl("net.ipv4.ip_forward") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  net.ipv4.ip_forward 0
      Received:  net.ipv4.ip_forward 1"
    `)
    expect(await failure(() => expectPi(pi).toHaveSysctl('net.ipv4.forward', 0))).toMatchInlineSnapshot(`
      "expect(pi).toHaveSysctl("net.ipv4.forward") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  net.ipv4.forward 0
      Received:  there is no /proc/sys/net/ipv4/forward"
    `)
  })

  test('refuses to go without a value', async () => {
    const none = undefined as unknown as string
    expect(await failure(async () => expectPi(pi).toHaveSysctl('vm.swappiness', none))).toContain(
      'it needs a value',
    )
  })
})

describe('toHaveKernelParameter', () => {
  const cmdline =
    'console=ttyAMA0,115200 root=/dev/mmcblk0p2 rw dyndbg="file drivers/usb/* +p" cgroup_enable=cpuset\n'
  const pi = answeringTarget({ texts: { '/proc/cmdline': cmdline } })

  test('accepts a parameter as it is written', async () => {
    await expectPi(pi).toHaveKernelParameter('rw')
    await expectPi(pi).toHaveKernelParameter('console=ttyAMA0,115200')
    await expectPi(pi).toHaveKernelParameter('dyndbg="file drivers/usb/* +p"')
    await expectPi(pi).not.toHaveKernelParameter('console')
  })

  test('looks at what cmdline.txt holds for the next boot', async () => {
    const next = { nextBoot: true }
    const texts = { '/proc/cmdline': cmdline, '/boot/cmdline.txt': 'rw cgroup_enable=memory\nnot=this\n' }
    const edited = answeringTarget({ texts })
    await expectPi(edited).toHaveKernelParameter('cgroup_enable=memory', next)
    await expectPi(edited).not.toHaveKernelParameter('cgroup_enable=memory')
    await expectPi(edited).not.toHaveKernelParameter('not=this', next)
    expect(
      await failure(() => expectPi(edited).toHaveKernelParameter('cgroup_enable=cpuset', next)),
    ).toContain('Received:  cgroup_enable=memory\n\n/boot/cmdline.txt:\n  rw\n  cgroup_enable=memory')
    expect(await failure(() => expectPi(pi).toHaveKernelParameter('rw', next))).toContain(
      'Received:  neither /boot/firmware/cmdline.txt nor /boot/cmdline.txt',
    )
  })

  test('tells the values that there are, and what else the kernel was started with', async () => {
    expect(
      await failure(() => expectPi(pi).toHaveKernelParameter('cgroup_enable=memory')),
    ).toMatchInlineSnapshot(`
      "expect(pi).toHaveKernelParameter("cgroup_enable=memory") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  cgroup_enable=memory
      Received:  cgroup_enable=cpuset

      The kernel was started with:
        console=ttyAMA0,115200
        root=/dev/mmcblk0p2
        rw
        dyndbg="file drivers/usb/* +p"
        cgroup_enable=cpuset"
    `)
  })
})
