import { expect, test } from 'vitest'
import type { AnsibleEvent } from '../../../src/ansible/events.ts'
import { cancelledError, type Ending, failureOf, timeoutError } from '../../../src/ansible/failure.ts'
import { Recorder } from '../../../src/ansible/recorder.ts'
import { RaspiError } from '../../../src/errors.ts'
import { ended, started } from './runs.ts'

function ending(data: Partial<Ending>, ...events: AnsibleEvent[]): Ending {
  const recorder = new Recorder('/repo')
  for (const event of events) recorder.add(event)
  return {
    playbook: 'site.yml',
    projectDir: '/repo',
    program: 'ansible-playbook',
    exitCode: 1,
    recorder,
    stderr: '',
    hosts: ['pi'],
    ...data,
  }
}

const stats: AnsibleEvent = { event: 'stats', at: 9, hosts: {} }

test('a failed task is a result', () => {
  expect(failureOf(ending({ exitCode: 2 }, ...started(), ended({ status: 'failed' }), stats))).toBeUndefined()
})

test('a run that ended well is no result where its recap is missing: some of it may be', () => {
  const events = [...started(), ended()]
  expect(failureOf(ending({ exitCode: 0 }, ...events, stats))).toBeUndefined()
  expect(failureOf(ending({ exitCode: 0 }, ...events))?.shortMessage).toBe(
    'ansible-playbook ended well, but its report of site.yml breaks off after TASK [web : Install nginx] (roles/web/tasks/main.yml:12)',
  )
  expect(failureOf(ending({ exitCode: 0 }))).toBeUndefined()
})

test('what has no exit code could not be started, or was killed, and says why', () => {
  expect(failureOf(ending({ exitCode: undefined, why: 'spawn E2BIG' }))?.shortMessage).toBe(
    'ansible-playbook ended before site.yml was through: spawn E2BIG',
  )
  expect(failureOf(ending({ exitCode: 5, why: 'Command failed' }))?.shortMessage).toBe(
    'ansible-playbook ended with exit code 5 before site.yml was through',
  )
})

test('a failed task is a result also where ansible-core 2.19 writes it to stderr as an error', () => {
  const stderr = '[ERROR]: Task failed: Module failed: nope\nOrigin: /repo/site.yml:3:7\n'
  expect(
    failureOf(ending({ exitCode: 2, stderr }, ...started(), ended({ status: 'failed' }), stats)),
  ).toBeUndefined()
})

test('an unreachable Pi is an error that says where it was lost and what came before', () => {
  const error = failureOf(
    ending(
      { exitCode: 4 },
      ...started({ name: 'Restart networking' }),
      ended(),
      ...started({ id: 't2' }),
      ended({ task: 't2', status: 'unreachable', result: { msg: 'Failed to connect: Connection refused' } }),
      stats,
    ),
  )
  expect(error?.message).toBe(
    [
      'pi could not be reached at TASK [web : Install nginx] (roles/web/tasks/main.yml:12): Failed to connect: Connection refused',
      '  Does the playbook reboot the Pi, stop its ssh server or change its network? The Pi’s console tells.',
      '  What it did before: TASK [web : Restart networking] (roles/web/tasks/main.yml:12).',
    ].join('\n'),
  )
})

test('a host that would work on this machine, and is left out, is told how it can', () => {
  const hintFor = (...leftOutHere: string[]) => {
    const result = { msg: 'Connection closed: controller has no emulated Pi in this test' }
    const events = [...started(), ended({ status: 'unreachable', delegate: 'controller', result }), stats]
    return failureOf(ending({ exitCode: 4, leftOutHere }, ...events))?.hint
  }
  expect(hintFor('here', 'controller')).toBe(
    'The inventory has it work on this machine, and `limit` leaves it out. Take it into `limit` and say `allowLocal: true`, or delegate to localhost.',
  )
  expect(hintFor('roller')).not.toContain('allowLocal')
})

test('a Pi whose card is full was reached, and is not said to be lost', () => {
  const msg = 'mkdir: cannot create directory ‘/home/pi/.ansible’: No space left on device'
  const events = [...started(), ended({ status: 'unreachable', result: { msg } }), stats]
  expect(failureOf(ending({ exitCode: 4 }, ...events))?.message).toBe(
    [
      `pi left Ansible no room to work at TASK [web : Install nginx] (roles/web/tasks/main.yml:12): ${msg}`,
      '  Its card is full, or cannot be written to: `await pi.run("df -h; findmnt /")` tells which.',
    ].join('\n'),
  )
})

test('a Pi that was unreachable and ignored is no error where the playbook succeeded', () => {
  expect(
    failureOf(ending({ exitCode: 0 }, ...started(), ended({ status: 'ignored' }), stats)),
  ).toBeUndefined()
})

test('a missing role is named, with where it was searched', () => {
  const stderr = `ERROR! the role 'nope' was not found in /repo/roles:/etc/ansible/roles:/repo

The error appears to be in '/repo/site.yml': line 4, column 7, but may
be elsewhere in the file depending on the exact syntax problem.
`
  expect(failureOf(ending({ stderr }))?.message).toBe(
    [
      'The role "nope" was not found: site.yml:4:7 asks for it',
      '  Ansible searched for it in:',
      '    roles',
      '    /etc/ansible/roles',
      '    .',
      '  Have it in requirements.yml, which `raspiTest({ ansible: { requirements: true } })` installs for the time of a run; or install it with `ansible-galaxy install`, or name its directory as `roles_path` in ansible.cfg.',
    ].join('\n'),
  )
})

test.for([
  [
    'community.general.timezone',
    'Is the collection community.general missing? Have it in requirements.yml, which `raspiTest({ ansible: { requirements: true } })` installs for the time of a run; or install it with `ansible-galaxy collection install community.general`.',
  ],
  ['ansible.builtin.atp', undefined],
  ['timezone', undefined],
] as const)('a module %s that is not there', ([module, hint]) => {
  const stderr = `ERROR! couldn't resolve module/action '${module}'. This often indicates a misspelling, missing collection, or incorrect module path.\n`
  expect(failureOf(ending({ stderr }))?.hint).toBe(hint)
})

test('of a missing role the playbook that we have written is not told, nor of a vault the one that is named anyhow', () => {
  const role = "[ERROR]: The role 'nope' was not found in: /repo/roles\nOrigin: /repo/.vitest-raspi.json\n"
  const standIn = '/repo/.vitest-raspi.json'
  expect(failureOf(ending({ playbook: 'role nope', stderr: role, standIn }))?.message).toMatch(
    /^The role "nope" was not found\n {2}Ansible searched for it in:\n {4}roles\n/,
  )
  const vault = (path: string) =>
    `[ERROR]: Attempting to decrypt but no vault secrets found.\nOrigin: /repo/${path}\n\n`
  expect(failureOf(ending({ stderr: vault('site.yml') }))?.shortMessage).toBe(
    'site.yml cannot be run: Attempting to decrypt but no vault secrets found.',
  )
  expect(failureOf(ending({ stderr: vault('group_vars/all.yml') }))?.shortMessage).toBe(
    'site.yml cannot be run: group_vars/all.yml: Attempting to decrypt but no vault secrets found.',
  )
})

test('a missing role is an error also where Ansible runs on to its end', () => {
  const stderr = "ERROR! the role 'nope' was not found in /repo/roles\n"
  expect(failureOf(ending({ exitCode: 2, stderr }, ...started(), ended(), stats))?.shortMessage).toBe(
    'The role "nope" was not found',
  )
})

test('a limit that leaves no host names the hosts there are', () => {
  const stderr =
    'ERROR! Specified inventory, host pattern and/or --limit leaves us with no hosts to target.\n'
  expect(failureOf(ending({ stderr }))?.hint).toBe('The inventory has: pi.')
})

test('an end without a word of Ansible shows what there is', () => {
  const error = failureOf(ending({ exitCode: 137, stderr: 'Killed\n' }, ...started()))
  expect(error?.message).toBe(
    'ansible-playbook ended with exit code 137 before site.yml was through, at TASK [web : Install nginx] (roles/web/tasks/main.yml:12)\nKilled',
  )
})

test('a missing ansible-playbook is told with the remedy', () => {
  const error = failureOf(ending({ exitCode: 127, stderr: 'ansible-playbook: No such file or directory\n' }))
  expect(error?.shortMessage).toBe(
    'ansible-playbook was not found: Ansible is not installed, or not on the PATH',
  )
  expect(error?.hint).toContain('npx vitest-raspi doctor --fix')
})

test('connections that could not be fixed stop the run', () => {
  const error = failureOf(
    ending({}, { event: 'refused', at: 1, reason: 'its connections could not be fixed: x' }),
  )
  expect(error?.message).toContain(
    'site.yml was not run: its connections could not be fixed: x\n  Without that',
  )
})

test('a timeout names the task at work', () => {
  const { recorder } = ending({}, ...started())
  expect(timeoutError('site.yml', 60_000, recorder).shortMessage).toBe(
    'site.yml was still at work after 1 min 0 s: TASK [web : Install nginx] (roles/web/tasks/main.yml:12), for 0.0 s',
  )
})

test('a stop from outside is another kind of error, with its reason', () => {
  const reason = new Error('Ctrl-C')
  expect(cancelledError('site.yml', reason, ending({}).recorder)).toMatchObject({
    kind: 'cancelled',
    cause: reason,
  })
})

test('a stop because of a lost Pi is that loss, with what its console showed', () => {
  const reason = new RaspiError('boot', 'Pi pi-1 is lost: its kernel panicked', { evidence: 'Kernel panic' })
  const error = cancelledError('site.yml', reason, ending({}, ...started()).recorder)
  expect(error.kind).toBe('boot')
  expect(error.message).toBe(
    'site.yml was stopped at TASK [web : Install nginx] (roles/web/tasks/main.yml:12): Pi pi-1 is lost: its kernel panicked\nKernel panic',
  )
})

test('a vault without a password is an error with the remedy, also where a task finds out', () => {
  const msg = 'Attempting to decrypt but no vault secrets found'
  expect(failureOf(ending({ stderr: `ERROR! ${msg}\n` }))?.message).toMatch(/vaultPasswordFile/)
  const atTask = ending({ exitCode: 2 }, ...started(), ended({ status: 'failed', result: { msg } }), stats)
  expect(failureOf(atTask)?.message).toMatch(
    /^site\.yml cannot be run: Attempting to decrypt .*, at TASK \[web : Install nginx\].*\n.*vaultPasswordFile/,
  )
})
