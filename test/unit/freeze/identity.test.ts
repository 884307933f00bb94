import ssh2 from 'ssh2'
import { expect, test } from 'vitest'
import { newHostKey } from '../../../src/freeze/identity.ts'

test('every host key is whole, where ssh2 makes one in 256 that OpenSSH cannot read', () => {
  for (let count = 0; count < 5_000; count++) {
    const { public: open } = newHostKey('root@pi-1')
    // https://www.rfc-editor.org/rfc/rfc8709#section-4: the name, and a key of 32 bytes, each after its length.
    const blob = Buffer.from(open.split(' ')[1] ?? '', 'base64')
    expect(blob).toHaveLength(4 + 'ssh-ed25519'.length + 4 + 32)
  }
})

test('the two halves of a host key belong together', () => {
  const pair = newHostKey('root@pi-1')
  const [secret, open] = [ssh2.utils.parseKey(pair.private), ssh2.utils.parseKey(pair.public)]
  if (secret instanceof Error || open instanceof Error) throw new Error('no key')
  expect(open.verify('words', secret.sign('words'))).toBe(true)
  expect(open.comment).toBe('root@pi-1')
})
