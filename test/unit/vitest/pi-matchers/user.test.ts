import { describe, expect, test } from 'vitest'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const body = 'AAAAC3NzaC1lZDI1NTE5AAAAIGrO5cN0mH1q8yJ4mZ0m1x7uE4nN0kz6Yy0m5s1q2w3e'
const other = body.replace('IGrO', 'IHsP')
const deploy = answeringTarget({
  exists: true,
  uid: 1001,
  group: 'deploy',
  groups: ['deploy', 'sudo', 'video'],
  shell: '/bin/bash',
  home: '/home/deploy',
  keys: [`from="10.0.0.0/8" ssh-ed25519 ${body} old@laptop`],
})
const none = answeringTarget({ exists: false, others: ['pi'] })

describe('toHaveUser', () => {
  test('judges every property; groups and keys may be more', async () => {
    const expected = {
      uid: 1001,
      group: 'deploy',
      groups: ['video'],
      shell: '/bin/bash',
      home: '/home/deploy',
    }
    await expectPi(deploy).toHaveUser('deploy', { ...expected, keys: `ssh-ed25519 ${body} me@desk\n` })
    await expectPi(deploy).not.toHaveUser('deploy', { uid: 1002 })
    await expectPi(deploy).not.toHaveUser('deploy', { group: 'sudo' })
    await expectPi(deploy).not.toHaveUser('deploy', { groups: ['sudo', 'docker'] })
    await expectPi(deploy).not.toHaveUser('deploy', { shell: '/bin/sh' })
    await expectPi(deploy).not.toHaveUser('deploy', { home: '/srv' })
    await expectPi(deploy).not.toHaveUser('deploy', { keys: [`ssh-ed25519 ${body}`, `ssh-ed25519 ${other}`] })
    await expectPi(none).not.toHaveUser('deploy')
  })

  test('tells what is there instead, keys by their last characters', async () => {
    const expected = { groups: ['docker'], keys: `ssh-ed25519 ${other} me@desk` }
    expect(await failure(() => expectPi(deploy).toHaveUser('deploy', expected))).toMatchInlineSnapshot(`
      "expect(pi).toHaveUser("deploy") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  groups docker, keys …5s1q2w3e (me@desk)
      Received:  groups deploy, sudo, video, keys …5s1q2w3e (old@laptop)"
    `)
  })

  test('lists the users that there are', async () => {
    expect(await failure(() => expectPi(none).toHaveUser('deploy', { uid: 1001 }))).toMatchInlineSnapshot(`
      "expect(pi).toHaveUser("deploy") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  uid 1001
      Received:  no such user

      Users:
        pi"
    `)
  })

  test('refuses a key that is none', async () => {
    expect(await failure(async () => expectPi(deploy).toHaveUser('deploy', { keys: 'id.pub' }))).toContain(
      'a key is no public ssh key',
    )
  })
})
