import { dirname } from 'node:path'
import { expect, type Pi, test } from 'vitest-raspi'
import { killQemu } from '../support/engine.ts'

// What a test is told when its Pi goes away under its hands: soon, and with what the Pi has said last.

const slow = 'test/fixtures/system/slow.yml'

/** How soon, in ms. The kernel's last words alone take a second or two on a busy host. */
const soonMs = 20_000

test('a playbook that fails on a Pi tells the task and why', { timeout: 180_000 }, async ({ ansible }) => {
  const run = await ansible.playbook('test/fixtures/system/fails.yml')
  expect(() => expect(run).toSucceed()).toThrow(
    /TASK \[Want what is not there\][\s\S]*at test\/fixtures\/system\/fails\.yml:5[\s\S]*cat: \/etc\/no-such-file: No such file or directory/,
  )
})

test('a Pi whose ssh server has stopped is named', { timeout: 180_000 }, async ({ pi, ansible }) => {
  // A moment later: the connection that asks for it goes with it.
  const stop = 'systemctl stop ssh.socket ssh.service; pkill -KILL -x sshd'
  await pi.run(`systemd-run --quiet --on-active=0.2 sh -c '${stop}'`, { sudo: true })
  await expect
    .poll(() => pi.run('true').then(String, String), { timeout: 60_000, interval: 500 })
    .toMatch(/^RaspiError: Pi pi could not be reached by ssh: /)
  await expect(ansible.playbook('test/fixtures/system/site.yml')).rejects.toThrow(
    /^pi could not be reached at TASK \[Say that it is tested\] \(test\/fixtures\/system\/site\.yml:6\): /,
  )
})

test('a Pi whose QEMU is killed ends what runs on it', { timeout: 180_000 }, async ({ pi, ansible }) => {
  const work = [
    outcome(pi.run('sleep 600', { timeoutMs: 600_000 })),
    outcome(ansible.playbook(slow)),
  ] as const
  await isAtWork(pi)
  killQemu(dirname(pi.controlPath))
  const [command, playbook] = await soon(Promise.all(work))
  const loss = /Pi pi-\d+ is lost: QEMU was killed by SIGKILL, as the kernel does when memory runs out\n.*\w/
  expect(command).toMatch(loss)
  expect(playbook).toMatch(/slow\.yml was stopped at TASK \[Wait for long\]/)
  expect(playbook).toMatch(loss)
  // From now on at once.
  expect(await soon(outcome(pi.run('true')))).toMatch(loss)
  expect(await soon(outcome(ansible.playbook(slow)))).toMatch(loss)
})

test('a Pi whose kernel panics is lost, with its last words', { timeout: 180_000 }, async ({
  pi,
  ansible,
}) => {
  const work = [
    outcome(pi.run('sleep 600', { timeoutMs: 600_000 })),
    outcome(ansible.playbook(slow)),
  ] as const
  await isAtWork(pi)
  const panic = outcome(pi.run('echo c > /proc/sysrq-trigger', { sudo: true, timeoutMs: 600_000 }))
  for (const told of await soon(Promise.all([panic, ...work]))) {
    expect(told).toMatch(/Pi pi-\d+ is lost: its kernel panicked\n/)
    expect(told).toMatch(/Kernel panic - not syncing: sysrq triggered crash/)
  }
})

/** Waits until both the command and the playbook sleep on the Pi. */
async function isAtWork(pi: Pi) {
  const asleep = async () => (await pi.run('pgrep -c -x sleep', { reject: false })).stdout.trim()
  await expect.poll(asleep, { timeout: 90_000, interval: 500 }).toBe('2')
}

/** What came of it, as a text. */
const outcome = (work: Promise<unknown>) =>
  work.then((value) => `it went well: ${JSON.stringify(value)}`, String)

function soon<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`nothing was told within ${soonMs / 1000} s`)), soonMs)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}
