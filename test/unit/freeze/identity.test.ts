import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { expect, test } from 'vitest'
import { identityScript, newHostKey, newIdentity } from '../../../src/freeze/identity.ts'
import { scratchDir } from '../../support/scratch-dir.ts'

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

test.for<[string, string, string, string]>([
  [
    'a name',
    'raspberrypi',
    '127.0.1.1\traspberrypi\n10.0.0.5 archive.raspberrypi.com raspberrypi.com my-raspberrypi raspberrypi-2\n',
    '127.0.1.1\tweb\n10.0.0.5 archive.raspberrypi.com raspberrypi.com my-raspberrypi raspberrypi-2\n',
  ],
  [
    'a short name, in more than one place',
    'pi',
    '127.0.1.1 pi\n192.168.1.2 api.example pi # pi\n',
    '127.0.1.1 web\n192.168.1.2 api.example web # web\n',
  ],
  [
    'its own name with a domain, and no newline at the end',
    'db',
    '127.0.1.1 db.lan db\n10.0.0.7 web-db db.lan',
    '127.0.1.1 web.lan web\n10.0.0.7 web-db db.lan\n',
  ],
])(
  'a thawed Pi is called by its new name in /etc/hosts, and nobody else is: %s',
  ([, name, before, after]) => {
    const dir = scratchDir()
    mkdirSync(join(dir, 'etc/ssh'), { recursive: true })
    writeFileSync(join(dir, 'etc/hosts'), before)
    const [perl = ''] = /^perl -e '[^']*'.*$/m.exec(identityScript(newIdentity('web'))) ?? []
    const elsewhere = perl.replaceAll(/(?<=["( ])\/(?=etc\/|run\/|var\/|dev\/)/g, `${dir}/`)
    execFileSync('bash', ['-c', `old=0; name=${name}; ${elsewhere}`])
    expect(readFileSync(join(dir, 'etc/hosts'), 'utf8')).toBe(after)
  },
)
