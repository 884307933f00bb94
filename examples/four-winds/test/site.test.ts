import { expect, raspiTest } from 'vitest-raspi'

// An emulated Pi for each host of hosts.ini, in its groups.
const test = raspiTest<'boreas' | 'eurus' | 'zephyrus' | 'notus'>({ inventory: 'hosts.ini' })

test('each wind tells its temper, and only the cold ones bring frost', async ({ pis, ansible }) => {
  expect(await ansible.playbook('site.yml')).toSucceed()

  const { boreas, eurus, zephyrus, notus } = pis
  const all = 'boreas, eurus, notus, zephyrus'
  await Promise.all([
    expect(boreas).toHaveFile('/etc/motd', { content: `boreas is a cold wind, one of ${all}.\n` }),
    expect(notus).toHaveFile('/etc/motd', { content: `notus is a warm wind, one of ${all}.\n` }),
    ...[boreas, eurus].map((pi) => expect(pi).toHaveFile('/etc/frost', { owner: 'root', mode: '0644' })),
    ...[zephyrus, notus].map((pi) => expect(pi).not.toHaveFile('/etc/frost')),
  ])

  expect(await ansible.playbook('site.yml')).toBeIdempotent()
})
