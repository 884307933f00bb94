import { expect, test } from 'vitest'
import { sourceLines } from '../../../src/image/host-apt.ts'

const all = { securityUpdates: true }

test('a host that uses Debian’s own mirror changes nothing', () => {
  expect(sourceLines('bookworm', all, 'Debian\thttp://deb.debian.org/debian/\n')).toEqual([])
})

test('a host that is no Debian changes nothing', () => {
  expect(sourceLines('bookworm', all, '')).toEqual([])
})

test('a host’s mirror is used for what it mirrors', () => {
  expect(
    sourceLines('bookworm', all, 'Debian\thttps://mirror.test/debian/\nDebian Backports\thttps://b.test/\n'),
  ).toEqual([
    'deb https://mirror.test/debian/ bookworm main',
    'deb https://mirror.test/debian/ bookworm-updates main',
    'deb http://deb.debian.org/debian-security/ bookworm-security main',
  ])
})

test('a host’s mirror of the security archive is used too', () => {
  const targets = 'Debian\thttps://mirror.test/debian/\nDebian-Security\thttps://mirror.test/security/\n'
  expect(sourceLines('bookworm', all, targets).at(-1)).toBe(
    'deb https://mirror.test/security/ bookworm-security main',
  )
})

test('an archive that only this host can read is not used', () => {
  expect(sourceLines('bookworm', all, 'Debian\tcdrom:[Debian 12]/\nDebian\tfile:/srv/debian/\n')).toEqual([])
})

test.each([
  ['Debian\thttp://deb.debian.org/debian/\n', 'http://deb.debian.org/debian/'],
  [
    'Debian\thttps://mirror.test/debian/\nDebian-Security\thttps://mirror.test/security/\n',
    'https://mirror.test/debian/',
  ],
  ['', 'http://deb.debian.org/debian/'],
])('security updates are left out where they are not wanted: %j', (targets, mirror) => {
  expect(sourceLines('bookworm', { securityUpdates: false }, targets)).toEqual([
    `deb ${mirror} bookworm main`,
    `deb ${mirror} bookworm-updates main`,
  ])
})
