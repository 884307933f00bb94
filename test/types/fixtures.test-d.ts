import { expectTypeOf, it } from 'vitest'
import {
  type Ansible,
  type AnsibleRun,
  type Checkpoint,
  type CommandResult,
  type Deployment,
  type ModuleRun,
  moleculeScenario,
  type Network,
  type Pi,
  type ProvisionState,
  raspiTest,
  test,
  verifyPlaybook,
} from 'vitest-raspi'

test('a test has one Pi and Ansible', ({ pi, pis, ansible }) => {
  expectTypeOf(pi).toEqualTypeOf<Pi>()
  expectTypeOf(pis).toEqualTypeOf<Record<'pi', Pi>>()
  expectTypeOf(ansible).toEqualTypeOf<Ansible>()
})

// @ts-expect-error: there is no such fixture
test('a test has no other fixture', ({ raspberry }) => raspberry)

const cluster = raspiTest({ hosts: { web: { groups: ['webservers'], vars: { port: 80 } }, db: {} } })

cluster('the Pis have the names of the hosts', ({ pis }) => {
  expectTypeOf(pis).toEqualTypeOf<Record<'web' | 'db', Pi>>()
  // @ts-expect-error: there is no such host
  pis.cache
})

const lab = raspiTest({ hosts: { boreas: { networks: ['mgmt', 'ext'] }, eurus: { networks: ['mgmt'] } } })

lab('the networks have the names by which hosts are on them', ({ networks }) => {
  expectTypeOf(networks).toEqualTypeOf<Record<'mgmt' | 'ext', Network>>()
  // @ts-expect-error: no host is on it
  networks.pxe
})

it('knows what raspiTest takes', () => {
  raspiTest({ scope: 'file', image: 'debian-12-arm64' })
  // @ts-expect-error: Pis are for a test or for a file
  raspiTest({ scope: 'run' })
  // @ts-expect-error: groups are a list
  raspiTest({ hosts: { web: { groups: 'webservers' } } })
  raspiTest({
    hosts: { web: { networks: ['pxe'] } },
    networks: { pxe: { addresses: false } },
    internet: false,
  })
  // @ts-expect-error: no host is on it
  raspiTest({ hosts: { web: { networks: ['pxe'] } }, networks: { mgmt: {} } })
  // @ts-expect-error: there is no such option
  raspiTest({ host: 'web' })
})

raspiTest({ hosts: { compute00: { state: 'enrolled' } } })(
  'a node is provisioned',
  async ({ pi, ansible }) => {
    expectTypeOf(pi.provision.state()).resolves.toEqualTypeOf<ProvisionState>()
    expectTypeOf(await pi.provision.deploy({ image: 'raspios-lite-arm64' })).toEqualTypeOf<Deployment>()
    expectTypeOf(pi.pause('look')).resolves.toBeVoid()
    expectTypeOf(ansible.inventory('bifrost')).toBeString()
    // @ts-expect-error: there is no such state
    raspiTest({ hosts: { compute00: { state: 'manageable' } } })
    // @ts-expect-error: there is no such format
    ansible.inventory('toml')
  },
)

it('knows what prepares Pis', () => {
  raspiTest({ prepare: 'prepare.yml' })
  raspiTest({ prepare: ['a.yml', { playbook: 'b.yml', extraVars: { port: 80 }, tags: ['web'] }] })
  // @ts-expect-error: a check prepares nothing
  raspiTest({ prepare: { playbook: 'a.yml', check: true } })
  // @ts-expect-error: which playbook?
  raspiTest({ prepare: { tags: 'web' } })
})

test('a Pi has checkpoints', async ({ pi }) => {
  const clean = await pi.checkpoint('clean')
  expectTypeOf(clean).toEqualTypeOf<Checkpoint>()
  expectTypeOf(pi.restore(clean)).resolves.toBeVoid()
  // @ts-expect-error: a checkpoint is what checkpoint() gave
  pi.restore('clean')
})

raspiTest({ inventory: 'inventory/hosts.ini', limit: ['web', '!db'], allowLocal: true, scope: 'file' })(
  'the Pis of an inventory have any name',
  ({ pis }) => {
    expectTypeOf(pis).toEqualTypeOf<Record<string, Pi>>()
  },
)

raspiTest<'boreas' | 'zephyr'>({ inventory: ['inventory', 'more.yml'] })('or those one names', ({ pis }) => {
  expectTypeOf(pis).toEqualTypeOf<Record<'boreas' | 'zephyr', Pi>>()
})

it('knows what goes with an inventory', () => {
  // @ts-expect-error: the hosts are those of the inventory
  raspiTest({ inventory: 'inventory/hosts.ini', hosts: { web: {} } })
  // @ts-expect-error: a limit is of an inventory
  raspiTest({ hosts: { web: {} }, limit: 'web' })
  raspiTest({ ansible: { requirements: true, vaultIds: ['dev@pass.txt'], env: { ANSIBLE_VERBOSITY: '1' } } })
  // @ts-expect-error: requirements are a file, or true
  raspiTest({ ansible: { requirements: false } })
})

it('registers tests', () => {
  verifyPlaybook('site.yml', { hosts: { web: {} }, except: ['reboot'], playbook: { tags: 'web' } })
  verifyPlaybook('site.yml', { inventory: 'hosts', limit: 'web', failedUnits: ['hciuart.service'] })
  // @ts-expect-error: there is no such check
  verifyPlaybook('site.yml', { except: ['converge'] })
  // @ts-expect-error: it decides itself when a run is a dry one
  verifyPlaybook('site.yml', { playbook: { check: true } })
  moleculeScenario('molecule/default', { image: 'debian-12-arm64', timeout: 60_000 })
  moleculeScenario('molecule/default', { image: { name: 'debian-12-arm64', packages: ['nginx-light'] } })
})

test('Ansible runs roles, tasks and modules', async ({ ansible }) => {
  expectTypeOf(
    ansible.role('web', { vars: { port: 80 }, tags: 'config' }),
  ).resolves.toEqualTypeOf<AnsibleRun>()
  expectTypeOf(
    ansible.tasks([{ name: 'Ping', 'ansible.builtin.ping': {}, when: true }], { become: false }),
  ).resolves.toEqualTypeOf<AnsibleRun>()
  expectTypeOf(ansible.module('setup', { filter: '*' })).resolves.toEqualTypeOf<ModuleRun>()
  expectTypeOf((await ansible.module('command', 'id')).result).toEqualTypeOf<Record<string, unknown>>()
  // @ts-expect-error: a role's variables are its `vars`
  ansible.role('web', { port: 80 })
  // @ts-expect-error: tasks are a list
  ansible.tasks({ 'ansible.builtin.ping': {} })
})

test('a Pi runs commands and has files', ({ pi }) => {
  expectTypeOf(pi.run('true', { sudo: true, reject: false })).resolves.toEqualTypeOf<CommandResult>()
  expectTypeOf(pi.readFile('/etc/hostname')).resolves.toBeString()
  expectTypeOf(pi.connection.port).toBeNumber()
  // @ts-expect-error: a command is a line for a shell
  pi.run(['ls', '-l'])
  // @ts-expect-error: it is where it is
  pi.connection = undefined
})

test('Ansible runs playbooks', async ({ ansible }) => {
  const run = await ansible.playbook('site.yml', {
    extraVars: { domain: 'pi.test' },
    tags: ['web'],
    check: true,
  })
  expectTypeOf(run).toEqualTypeOf<AnsibleRun>()
  expectTypeOf(run.exitCode).toBeNumber()
  expectTypeOf(run.ok).toBeBoolean()
  // @ts-expect-error: Ansible's --extra-vars is extraVars here
  ansible.playbook('site.yml', { vars: { domain: 'pi.test' } })
  // @ts-expect-error: a playbook is given by its path
  ansible.playbook({ hosts: 'all' })
})
