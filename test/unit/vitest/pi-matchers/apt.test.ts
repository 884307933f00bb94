import { describe, expect, test } from 'vitest'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const pi = answeringTarget({
  texts: {
    '/etc/apt/sources.list': [
      'deb http://deb.debian.org/debian bookworm main contrib # the archive',
      '# deb http://deb.debian.org/debian sid main',
      'deb-src http://deb.debian.org/debian/ bookworm main',
      'deb http://deb.debian.org/debian bookworm-updates main',
      '',
    ].join('\n'),
    '/etc/apt/sources.list.d/docker.list':
      'deb [arch=arm64 signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian bookworm stable\n',
    '/etc/apt/sources.list.d/raspi.sources': [
      '# by Ansible',
      'Types: deb deb-src',
      'URIs: http://archive.raspberrypi.com/debian/',
      'Suites: bookworm',
      'Components: main',
      '  extra',
      'Signed-By: /usr/share/keyrings/raspberrypi.pgp',
      '',
      'Enabled: no',
      'Types: deb',
      'URIs: http://example.test/',
      'Suites: stable',
      '',
    ].join('\n'),
  },
})

describe('toHaveAptSource', () => {
  test('reads .list and .sources files', async () => {
    await expectPi(pi).toHaveAptSource('http://deb.debian.org/debian/', {
      suite: 'bookworm',
      components: ['contrib'],
    })
    await expectPi(pi).toHaveAptSource('http://deb.debian.org/debian', { suite: 'bookworm-updates' })
    await expectPi(pi).toHaveAptSource(/download\.docker\.com/, { signedBy: '/etc/apt/keyrings/docker.asc' })
    const raspi = { suite: 'bookworm', components: ['main', 'extra'], signedBy: /raspberrypi\.pgp$/ }
    await expectPi(pi).toHaveAptSource('http://archive.raspberrypi.com/debian', raspi)
    await expectPi(pi).toHaveAptSource('http://archive.raspberrypi.com/debian', { type: 'deb-src' })
    await expectPi(pi).not.toHaveAptSource('http://example.test')
    await expectPi(pi).not.toHaveAptSource(/debian/, { suite: 'sid' })
    await expectPi(pi).not.toHaveAptSource('http://deb.debian.org/debian', { components: ['the'] })
  })

  test('tells the sources that there are instead', async () => {
    expect(
      await failure(() => expectPi(pi).toHaveAptSource(/docker/, { suite: 'trixie', signedBy: /gpg$/ })),
    ).toMatchInlineSnapshot(`
      "expect(pi).toHaveAptSource(/docker/) failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  suite trixie, signed by matching /gpg$/
      Received:  suite bookworm, signed by /etc/apt/keyrings/docker.asc"
    `)
    expect(
      await failure(() => expectPi(pi).toHaveAptSource('http://deb.debian.org', { suite: 'sid' })),
    ).toMatchInlineSnapshot(`
      "expect(pi).toHaveAptSource("http://deb.debian.org") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  suite sid
      Received:  no such source

      Sources:
        deb http://deb.debian.org/debian bookworm main contrib (/etc/apt/sources.list)
        deb-src http://deb.debian.org/debian/ bookworm main (/etc/apt/sources.list)
        deb http://deb.debian.org/debian bookworm-updates main (/etc/apt/sources.list)
        deb https://download.docker.com/linux/debian bookworm stable (/etc/apt/sources.list.d/docker.list)
        deb http://archive.raspberrypi.com/debian/ bookworm main extra (/etc/apt/sources.list.d/raspi.sources)
        deb-src http://archive.raspberrypi.com/debian/ bookworm main extra (/etc/apt/sources.list.d/raspi.sources)"
    `)
  })
})
