import { expect, test } from 'vitest-raspi'

// The plug is pulled while a task is at work. Afterwards the file system is whole, and the playbook ends as it would have.
test.for([
  'notes : Add the user who keeps them',
  'notes : Install the keeper',
  'notes : Install its units',
  'notes : Start the timer',
])('the playbook converges after a power cut in: %s', async (task, { pi, ansible }) => {
  const cut = { [task]: () => pi.power.cut() }
  await expect(ansible.playbook('site.yml', { onTask: cut })).rejects.toThrow('could not be reached')
  await pi.power.on()

  expect(await ansible.playbook('site.yml')).toSucceed()
  await expect(pi).toHaveTimer('notes', { active: true, enabled: true })
  await expect
    .poll(() => pi.readFile('/var/lib/notes/latest').catch(() => ''), { timeout: 60_000 })
    .toMatch(/\d/)
  await expect(pi).toHaveNoFailedUnits()
  expect(await ansible.playbook('site.yml')).toBeIdempotent()
})
