import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest-raspi'

/** How long a task has been at work when the plug is pulled, in ms: up to 3 s, by chance, but always the same in the same round. */
function momentIn(task: string): number {
  const dice = createHash('sha256').update(`${process.env.ROUND} ${task}`).digest()
  return 200 + (dice.readUInt16BE() / 65_536) * 2_800
}

// The plug is pulled in the midst of a task, at another moment in each round: ROUND=2 npm test. Where the task is over by then,
// the next one has no power. Afterwards the file system is whole, and the playbook ends as it would have.
test.for([
  'notes : Add the user who keeps them',
  'notes : Install the keeper',
  'notes : Install its units',
  'notes : Start the timer',
])('the playbook converges after a power cut in: %s', async (task, { pi, ansible }) => {
  const cut = async () => {
    await sleep(momentIn(task))
    await pi.power.cut()
  }
  // The last task may have been over, and the playbook with it.
  const ended = await ansible.playbook('site.yml', { onTask: { [task]: cut } }).catch(String)
  if (typeof ended === 'string') expect(ended).toContain('could not be reached')
  expect(await pi.power.state()).toBe('off')
  await pi.power.on()

  expect(await ansible.playbook('site.yml')).toSucceed()
  await expect(pi).toHaveTimer('notes', { active: true, enabled: true })
  await expect
    .poll(() => pi.readFile('/var/lib/notes/latest').catch(() => ''), { timeout: 60_000 })
    .toMatch(/\d/)
  await expect(pi).toHaveNoFailedUnits()
  expect(await ansible.playbook('site.yml')).toBeIdempotent()

  const kernel = await pi.run('dmesg', { sudo: true })
  expect(kernel.stdout).toMatch(/EXT4-fs .*: recovery complete/)
  expect(kernel.stdout).not.toContain('EXT4-fs error')
})
