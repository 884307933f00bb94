import { expect, test } from 'vitest'
import { hintFor } from '../../../src/image/hints.ts'

test.each([
  [
    'E: arm64 can neither be executed natively nor via qemu user emulation with binfmt_misc',
    'qemu-user-static',
  ],
  ['Err:1 http://deb.debian.org/debian bookworm InRelease\n  Temporary failure resolving', 'http_proxy'],
  ['E: Failed to fetch … File has unexpected size (3 != 4). Mirror sync in progress?', 'out of step'],
  [
    'E: Failed to fetch http://security.debian.org/debian-security/dists/… File has unexpected size (3 != 4). Mirror sync in progress?',
    '--no-security-updates',
  ],
  ['cp: error writing ‘x’: No space left on device', 'VITEST_RASPI_CACHE'],
  ['W: GPG error: … NO_PUBKEY 0E98404D386FA1D9', 'debian-archive-keyring'],
  ['newuidmap: open of uid_map failed: Permission denied', '/etc/subuid'],
  ['something else', 'last lines'],
])('%s', (evidence, hint) => {
  expect(hintFor(evidence)).toContain(hint)
})
