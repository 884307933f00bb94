import { describe, expect, test } from 'vitest'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const pi = answeringTarget({
  texts: {
    '/proc/self/mounts': [
      '/dev/mmcblk0p2 / ext4 rw,relatime 0 0',
      'tmpfs /run tmpfs rw,nosuid,size=93000k 0 0',
      '/dev/sda1 /mnt/my\\040disk ext4 ro 0 0',
      '/dev/mmcblk0p1 /mnt/over vfat rw 0 0',
      'nas:/export /mnt/over nfs4 rw,noatime 0 0',
      '',
    ].join('\n'),
    '/etc/fstab': '# device  path\nLABEL=root / ext4 defaults 0 1\nnas:/export /mnt/over/ nfs4 noatime\n',
  },
})

describe('toHaveMount', () => {
  test('judges the uppermost mount of a path', async () => {
    await expectPi(pi).toHaveMount('/', { source: '/dev/mmcblk0p2', type: 'ext4', persistent: true })
    await expectPi(pi).toHaveMount('/run', { options: ['nosuid'], persistent: false })
    await expectPi(pi).toHaveMount('/mnt/my disk', { source: /^\/dev\/sd/ })
    await expectPi(pi).toHaveMount('/mnt/over', { type: 'nfs4', persistent: true })
    await expectPi(pi).not.toHaveMount('/mnt/over', { type: 'vfat' })
    await expectPi(pi).not.toHaveMount('/mnt')
    await expectPi(pi).not.toHaveMount('/', { options: ['noatime'] })
  })

  test('tells what is mounted instead', async () => {
    const expected = { source: 'nas:/other', options: ['ro'], persistent: false }
    expect(await failure(() => expectPi(pi).toHaveMount('/mnt/over', expected))).toMatchInlineSnapshot(`
      "expect(pi).toHaveMount("/mnt/over") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  source nas:/other, options ro, not persistent
      Received:  source nas:/export, options rw, noatime, persistent"
    `)
    expect(await failure(() => expectPi(pi).toHaveMount('/mnt/backup'))).toMatchInlineSnapshot(`
      "expect(pi).toHaveMount("/mnt/backup") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  a mount
      Received:  nothing mounted

      Mounted from devices:
        / from /dev/mmcblk0p2
        /mnt/my disk from /dev/sda1
        /mnt/over from /dev/mmcblk0p1
        /mnt/over from nas:/export"
    `)
  })
})
