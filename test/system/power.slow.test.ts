import { expect, raspiTest, test } from 'vitest-raspi'

const playbook = 'test/fixtures/system/settle.yml'

test('a Pi that loses its power in a task has what its card holds, and the playbook converges afterwards', {
  timeout: 600_000,
}, async ({ pi, ansible }) => {
  expect(await pi.power.state()).toBe('on')
  await pi.run('echo flushed > /home/pi/flushed; sync; echo 3 > /proc/sys/vm/drop_caches', { sudo: true })
  const before = (await pi.run('cat /proc/sys/kernel/random/boot_id')).stdout
  const cut = async () => {
    await pi.run('echo only in memory > /home/pi/unflushed', { sudo: true })
    await pi.power.cut()
  }
  await expect(ansible.playbook(playbook, { onTask: { 'Write much': cut } })).rejects.toThrow(
    'pi could not be reached at TASK [Write much]',
  )
  expect(await pi.power.state()).toBe('off')
  await expect(pi.run('true')).rejects.toThrow(`Pi ${pi.hostname} is off: its power was cut`)
  await expect(pi.power.reset()).rejects.toThrow('It cannot be reset: Pi')
  await expect(pi.power.off()).rejects.toThrow('It cannot be shut down: Pi')

  await pi.power.on()
  expect(await pi.power.state()).toBe('on')
  expect((await pi.run('cat /proc/sys/kernel/random/boot_id')).stdout).not.toBe(before)
  await expect(pi).toHaveFile('/home/pi/flushed', { content: 'flushed\n' })
  const lost = await pi.run('cat /home/pi/unflushed', { reject: false })
  expect(lost.stdout).not.toContain('only in memory')
  expect((await pi.run('dmesg', { sudo: true })).stdout).toMatch(
    /EXT4-fs \((mmcblk0p2|vda2)\).*recovery complete/,
  )

  const run = await ansible.playbook(playbook)
  expect(run).toSucceed()
  expect(run).toHaveRunTask('Write much', { status: 'changed' })

  // Whoever shuts down in order leaves nothing to be recovered.
  expect(await pi.console()).toMatch(/EXT4-fs .* recovery complete/)
  await pi.power.off()
  expect(await pi.power.state()).toBe('off')
  const said = (await pi.console()).length
  const boot = async () => (await pi.console()).slice(said)
  await pi.power.on({ wait: false })
  await expect
    .poll(boot, { timeout: 120_000, interval: 500 })
    .toMatch(/EXT4-fs \((mmcblk0p2|vda2)\): mounted filesystem/)
  expect(await boot()).not.toMatch(/recovery/)

  await pi.power.reset({ wait: false })
  expect(await pi.power.state()).toBe('on')
  await pi.power.cut()
  expect(await pi.power.state()).toBe('off')
})

test('a task that something is to be done at has to begin', { timeout: 180_000 }, async ({ ansible }) => {
  const tags = { skipTags: 'never', limit: 'all' }
  await expect(
    ansible.playbook(playbook, { ...tags, onTask: { 'Write nothing': () => {} } }),
  ).rejects.toThrow('onTask: no task called “Write nothing” began in this run.')
})

// It is made for its holder, and not yet settled when he has it, as one from the pool is.
raspiTest({ internet: false })(
  'a Pi that loses its power as soon as it is there loses what it had in memory, and not who it is',
  { timeout: 300_000 },
  async ({ pi }) => {
    const whoItIs = 'cat /etc/hostname /etc/hosts /etc/machine-id /etc/ssh/*.pub; ls /var/lib/systemd/linger'
    const before = (await pi.run(`echo only in memory > unflushed; ${whoItIs}`)).stdout
    expect(before.split('\n')[0]).toBe(pi.hostname)
    await pi.power.cycle()
    expect((await pi.run('cat unflushed', { reject: false })).stdout).not.toContain('only in memory')
    expect((await pi.run(whoItIs)).stdout).toBe(before)
    expect((await pi.run('hostname')).stdout).toBe(`${pi.hostname}\n`)
    await expect(pi).toHaveNoFailedUnits()
  },
)

raspiTest({ hosts: { node: { power: 'off' } } })(
  'a Pi that loses its power before anybody has logged in starts anew',
  { timeout: 180_000 },
  async ({ pi }) => {
    await pi.power.on({ wait: false })
    await pi.power.cut()
    expect(await pi.power.state()).toBe('off')
    await pi.power.on()
    expect((await pi.run('hostname')).stdout).toBe(`${pi.hostname}\n`)
  },
)
