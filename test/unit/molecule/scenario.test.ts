import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test as base, expect } from 'vitest'
import { inventoriesOf, optionsOf, vaultArgumentsOf } from '../../../src/molecule/playbook-options.ts'
import { readScenario, type Step } from '../../../src/molecule/scenario.ts'
import { inventoryGroups, surround } from '../../../src/molecule/surroundings.ts'

const test = base.extend<{ write: (files: Record<string, string>) => string }>({
  write: async ({}, use) => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'raspi-molecule-')))
    await use((files) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), text)
      }
      return root
    })
    rmSync(root, { recursive: true })
  },
})

const scenario = 'molecule/default'
const playbooks = Object.fromEntries(
  ['prepare', 'converge', 'side_effect', 'verify', 'cleanup', 'create'].map((name) => [
    `${scenario}/${name}.yml`,
    '[]\n',
  ]),
)
const step = (action: Step['action']): Step => ({ action, title: action, playbooks: [] })

test("the steps are those of Molecule's test, without what the lab does", ({ write }) => {
  const root = write({ ...playbooks, [`${scenario}/molecule.yml`]: 'platforms: [{ name: one }]\n' })
  const { steps, name, projectDir } = readScenario(scenario, root)
  expect(steps.map(({ title }) => title)).toEqual([
    'syntax',
    'prepare',
    'converge',
    'idempotence',
    'side_effect',
    'verify',
    'cleanup',
  ])
  expect(steps.map((each) => each.playbooks.map((path) => basename(path)))).toEqual(
    ['converge', 'prepare', 'converge', 'converge', 'side_effect', 'verify', 'cleanup'].map((part) => [
      `${part}.yml`,
    ]),
  )
  expect({ name, projectDir }).toEqual({ name: 'default', projectDir: root })
})

test('the sequence, the playbooks and the name are the scenario’s, and a playbook that is not there is left out', ({
  write,
}) => {
  const root = write({
    'plays/site.yml': '[]',
    'molecule/two/again.yml': '[]',
    'molecule/two/molecule.yml': `
scenario: { name: other, test_sequence: [create, converge, side_effect again.yml, verify, cleanup, destroy] }
ansible: { playbooks: { converge: ../../plays/site.yml } }
`,
  })
  const { steps, name } = readScenario('molecule/two', root)
  expect(name).toBe('other')
  expect(steps).toEqual([
    { action: 'converge', title: 'converge', playbooks: [join(root, 'plays/site.yml')] },
    {
      action: 'side_effect',
      title: 'side_effect again.yml',
      playbooks: [join(root, 'molecule/two/again.yml')],
    },
  ])
})

test('what is meant for another driver is named', ({ write }) => {
  const root = write({
    ...playbooks,
    [`${scenario}/molecule.yml`]: `
driver: { name: docker }
platforms: [{ name: one, image: 'debian:12', privileged: true, groups: [web] }, { name: two }]
provisioner: { connection_options: { ansible_connection: docker, ansible_become: true } }
verifier: { name: testinfra }
`,
  })
  expect(readScenario(scenario, root).notApplied).toEqual([
    'the driver docker',
    'image, privileged of the platform one',
    'the connection options ansible_connection',
    'the verifier testinfra',
    'create.yml',
  ])
})

test('the configuration of the repository lies below the scenario’s, and variables are put in', ({
  write,
}) => {
  const root = write({
    ...playbooks,
    '.git/HEAD': '',
    '.config/molecule/config.yml': 'provisioner: { options: { diff: true, v: true }, env: { A: "1" } }\n',
    [`${scenario}/molecule.yml`]:
      'provisioner: { options: { v: false }, env: { B: "$MOLECULE_SCENARIO_NAME" } }\n',
  })
  const { config } = readScenario(scenario, root, { MOLECULE_SCENARIO_NAME: 'default' })
  expect(config.provisioner).toMatchObject({
    options: { diff: true, v: false },
    env: { A: '1', B: 'default' },
  })
})

test.for([
  ['there is none', {}, /^There is no Molecule scenario molecule\/default: no .*molecule\.yml\./],
  [
    'it is no mapping',
    { [`${scenario}/molecule.yml`]: '- a\n' },
    /molecule\.yml cannot be read: it is no mapping$/,
  ],
  ['it is no YAML', { [`${scenario}/molecule.yml`]: 'a: [\n' }, /molecule\.yml cannot be read: /],
  [
    'a platform has no name',
    { [`${scenario}/molecule.yml`]: 'platforms: [{ image: x }]\n' },
    /^molecule\/default\/molecule\.yml is wrong:\n.*\n.*platforms\[0\]\.name/,
  ],
  [
    'a step is unknown',
    { [`${scenario}/molecule.yml`]: 'scenario: { test_sequence: [dance] }\n' },
    'molecule/default/molecule.yml has an unknown step in its test_sequence: dance.',
  ],
  [
    'there is nothing to converge with',
    { [`${scenario}/molecule.yml`]: '{}\n' },
    /has no playbook to converge with: there is no .*converge\.yml\.$/,
  ],
] as const)('a scenario is refused where %s', ([, files, message], { write }) => {
  expect(() => readScenario(scenario, write(files))).toThrow(message)
})

test('platforms are hosts in their groups, with what is no connection', ({ write }) => {
  const root = write({
    ...playbooks,
    [`${scenario}/molecule.yml`]: `
platforms: [{ name: one, groups: [web, edge], children: [north] }, { name: two }]
provisioner: { connection_options: { ansible_user: root, ansible_become: true } }
`,
  })
  const groups = inventoryGroups(readScenario(scenario, root))
  expect(groups).toMatchObject({
    all: { hosts: { one: { ansible_become: true }, two: { ansible_become: true } } },
    web: { hosts: { one: {} }, children: { north: { hosts: { one: {} } } } },
    edge: { hosts: { one: {} } },
    ungrouped: { hosts: { two: {} } },
  })
  expect(JSON.stringify(groups)).not.toContain('ansible_user')
})

test('the surroundings are those of Molecule, outside of the project', ({ write }) => {
  const root = write({
    ...Object.fromEntries(
      Object.entries(playbooks).map(([path, text]) => [`ansible-role-lamp/${path}`, text]),
    ),
    'ansible-role-lamp/tasks/main.yml': '[]\n',
    'ansible-role-lamp/meta/main.yml': 'galaxy_info: { author: me }\n',
    [`ansible-role-lamp/${scenario}/molecule.yml`]: `
platforms: [{ name: one }]
provisioner:
  config_options: { defaults: { gathering: explicit }, privilege_escalation: { become: true } }
  env: { WATT: 5 }
  inventory:
    hosts: { all: { hosts: { one: { ansible_connection: docker, x: 1 }, here: { ansible_connection: local } } } }
    host_vars: { one: { ansible_host: 172.17.0.2, y: 2 } }
    group_vars: { all: { z: 3 } }
`,
  })
  const found = readScenario(`ansible-role-lamp/${scenario}`, root)
  const dir = join(root, 'run')
  mkdirSync(dir)
  const { inventory, env, paths } = surround(found, dir)
  const read = (name: string) => JSON.parse(readFileSync(join(inventory, name), 'utf8'))
  expect(read('hosts')).toEqual({ all: { hosts: { one: { x: 1 }, here: { ansible_connection: 'local' } } } })
  expect(read('host_vars/one')).toEqual({ y: 2 })
  expect(read('group_vars/all')).toEqual({ z: 3 })
  expect(env).toMatchObject({
    WATT: '5',
    MOLECULE_PROJECT_DIRECTORY: join(root, 'ansible-role-lamp'),
    MOLECULE_SCENARIO_DIRECTORY: join(root, 'ansible-role-lamp', scenario),
    MOLECULE_EPHEMERAL_DIRECTORY: dir,
    ANSIBLE_CONFIG: join(dir, 'ansible.cfg'),
  })
  expect(readFileSync(join(dir, 'ansible.cfg'), 'utf8')).toBe(
    '[defaults]\nnocows = 1\nforks = 50\ngathering = explicit\n\n[privilege_escalation]\nbecome = true\n',
  )
  const names = ['ansible-role-lamp', 'lamp', 'me.lamp']
  expect(names.map((name) => readlinkSync(join(dir, 'roles', name)))).toEqual(
    names.map(() => join(root, 'ansible-role-lamp')),
  )
  expect(paths).toEqual({ roles: [join(dir, 'roles'), root], collections: [] })
})

test('a collection is found by its name', ({ write }) => {
  const root = write({
    'galaxy.yml': 'namespace: my\nname: lamps\n',
    'extensions/molecule/default/converge.yml': '[]\n',
    'extensions/molecule/default/molecule.yml': 'platforms: [{ name: one }]\n',
  })
  const found = readScenario('extensions/molecule/default', root)
  expect(found.projectDir).toBe(root)
  const dir = join(root, 'run')
  mkdirSync(dir)
  const [collections] = surround(found, dir).paths.collections
  expect(readlinkSync(join(collections ?? '', 'ansible_collections/my/lamps'))).toBe(root)
})

test('a link of the inventory that leads nowhere is refused', ({ write }) => {
  const root = write({
    ...playbooks,
    [`${scenario}/molecule.yml`]: 'provisioner: { inventory: { links: { group_vars: ../none } } }\n',
  })
  mkdirSync(join(root, 'run'))
  expect(() => surround(readScenario(scenario, root), join(root, 'run'))).toThrow(
    /link group_vars to .*none, which does not exist/,
  )
})

test('playbooks run with the options of the scenario', ({ write }) => {
  const root = write({
    ...playbooks,
    [`${scenario}/molecule.yml`]: `
provisioner:
  options: { become: true, vvv: true, "vault-password-file": pass.txt, limit: one, connection: local }
  ansible_args: [--inventory=../more, -i, other, --connection, docker, -clocal, --forks=2]
verifier: { env: { DEPTH: 2 } }
`,
  })
  const found = readScenario(scenario, root)
  expect(optionsOf(found, step('converge'))).toEqual({
    skipTags: ['molecule-notest', 'notest'],
    args: ['--become', '-vvv', '--vault-password-file', 'pass.txt', '--forks=2'],
  })
  expect(optionsOf(found, step('idempotence')).skipTags).toContain('molecule-idempotence-notest')
  expect(optionsOf(found, step('verify'))).toMatchObject({ env: { DEPTH: '2' } })
  expect(optionsOf(found, step('verify')).args).not.toContain('--become')
  expect(inventoriesOf(found)).toEqual(['../more', 'other'])
  expect(found.notApplied).toContain('the connection local, docker, local')
})

test('where the passwords of vaults are is told to whoever reads the inventory, too', ({ write }) => {
  const root = write({
    ...playbooks,
    [`${scenario}/molecule.yml`]: `platforms: [{ name: one }]
provisioner:
  options: { vault-password-file: pass.txt, vault_id: dev@dev.txt, become: true }
  ansible_args: [--vault-pass-file=more.txt, --vault-id, test@test.txt, --forks=2]
`,
  })
  expect(vaultArgumentsOf(readScenario(scenario, root))).toEqual([
    ...['--vault-password-file', 'pass.txt', '--vault-id', 'dev@dev.txt'],
    ...['--vault-pass-file=more.txt', '--vault-id', 'test@test.txt'],
  ])
})
