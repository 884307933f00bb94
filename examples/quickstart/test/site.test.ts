import { readFileSync } from 'node:fs'
import { expect, raspiTest } from 'vitest-raspi'

// Each test has a fresh Pi, which Ansible knows as hello-pi of the group pis.
const test = raspiTest({ hosts: { 'hello-pi': { groups: ['pis'] } } })

test('site.yml makes a Pi that says hello, and has nothing to do the second time', async ({
  pi,
  ansible,
}) => {
  expect(await ansible.playbook('site.yml')).toSucceed()

  // What starts together shares one look at the Pi.
  await Promise.all([
    expect(pi).toHaveHostname('hello-pi'),
    expect(pi).toHaveTimezone('Europe/Berlin'),
    expect(pi).toHaveUser('deploy', { groups: ['adm'], shell: '/bin/bash', keys: publicKey() }),
    expect(pi).toHaveFile('/home/deploy/.ssh/authorized_keys', { mode: '0600', owner: 'deploy' }),
    expect(pi).toHaveSysctl('vm.swappiness', 10),
    expect(pi).toHaveBootConfig('dtparam=i2c_arm=on'),
    expect(pi).toHaveService('hello', { running: true, enabled: true }),
    expect(pi).toHaveTimer('hello-report', { active: true, enabled: true, calendar: '*-*-* 06:00:00' }),
    expect(pi).toListenOn(8080, { process: 'hello' }),
    expect(pi).toAnswerHttp('http://localhost:8080/', { status: 200, body: 'Hello from hello-pi\n' }),
    expect(pi).toHaveNoFailedUnits(),
  ])

  expect(await ansible.playbook('site.yml')).toBeIdempotent()
})

test('a dry run on a fresh Pi tells what would change, and changes nothing', async ({ pi, ansible }) => {
  const run = await ansible.playbook('site.yml', { check: true })
  expect(run).toSucceed()
  expect(run).toHaveRunTask('Name the Pi as in the inventory', { status: 'changed' })
  await Promise.all([
    expect(pi).not.toHaveHostname('hello-pi'),
    expect(pi).not.toHaveUser('deploy'),
    expect(pi).not.toHaveService('hello'),
  ])
})

test('the greeting can be chosen', async ({ pi, ansible }) => {
  const extraVars = { hello_greeting: 'Moin' }
  expect(await ansible.playbook('site.yml', { tags: 'hello', extraVars })).toSucceed()
  await expect(pi).toAnswerHttp('http://localhost:8080/', { contains: 'Moin from' })
})

function publicKey(): string {
  return readFileSync(new URL('../roles/base/files/deploy.pub', import.meta.url), 'utf8')
}
