import { expect, test } from 'vitest'
import { mirrorLines } from '../../../src/image/host-apt.ts'

test('a host that uses Debian’s own mirror changes nothing', () => {
  expect(mirrorLines('bookworm', 'Debian\thttp://deb.debian.org/debian/\n')).toEqual([])
})

test('a host that is no Debian changes nothing', () => {
  expect(mirrorLines('bookworm', '')).toEqual([])
})

test('a host’s mirror is used for what it mirrors', () => {
  expect(
    mirrorLines('bookworm', 'Debian\thttps://mirror.test/debian/\nDebian Backports\thttps://b.test/\n'),
  ).toEqual([
    'deb https://mirror.test/debian/ bookworm main',
    'deb https://mirror.test/debian/ bookworm-updates main',
    'deb http://deb.debian.org/debian-security/ bookworm-security main',
  ])
})

test('a host’s mirror of the security archive is used too', () => {
  const targets = 'Debian\thttps://mirror.test/debian/\nDebian-Security\thttps://mirror.test/security/\n'
  expect(mirrorLines('bookworm', targets).at(-1)).toBe(
    'deb https://mirror.test/security/ bookworm-security main',
  )
})

test('an archive that only this host can read is not used', () => {
  expect(mirrorLines('bookworm', 'Debian\tcdrom:[Debian 12]/\nDebian\tfile:/srv/debian/\n')).toEqual([])
})
