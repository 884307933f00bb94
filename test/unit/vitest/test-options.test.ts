import { expect, expectTypeOf, test } from 'vitest'
import type * as z from 'zod'
import { raspiTest } from '../../../src/vitest/fixtures.ts'
import { moleculeScenario } from '../../../src/vitest/molecule-scenario.ts'
import type {
  CommonTestOptions,
  HostOptions,
  InventoryTestOptions,
  RaspiTestOptions,
  testSchema,
} from '../../../src/vitest/test-options.ts'
import { verifyPlaybook } from '../../../src/vitest/verify-playbook.ts'

// Vitest checks no types: what is wrong is to be told before anything is started.

const own =
  'scope, image, board, ansible, internet, hosts, networks, seed, prepare, inventory, limit, allowLocal'

test.for<[unknown, string]>([
  [{ inventroy: 'hosts' }, `There is no inventroy: there are ${own}`],
  [{ inventory: 'hosts', limits: 'web' }, `There is no limits: there are ${own}`],
  [{ host: 'web' }, 'There is no host: '],
  [{ vaultPasswordFile: 'pass', requirements: true }, 'There is no vaultPasswordFile, requirements: '],
  [
    { ansible: { requirement: true } },
    'there are vaultPasswordFile, vaultIds, requirements, env\n  → at ansible',
  ],
  [{ ansible: { requirements: false } }, 'expected true, or the path of a file\n  → at ansible.requirements'],
  [{ scope: 'files' }, 'expected one of "test"|"file"\n  → at scope'],
  [{ internet: 'no' }, 'expected boolean, received string\n  → at internet'],
  [{ board: 'raspi9' }, 'Choose one of raspi3b'],
  [{ hosts: { web: { power: 'of' } } }, 'expected one of "on"|"off"\n  → at hosts.web.power'],
  [{ hosts: { web: { state: 'enroled' } } }, 'expected one of "active"|"enrolled"\n  → at hosts.web.state'],
  [{ hosts: { web: { groups: 'webservers' } } }, 'expected array, received string\n  → at hosts.web.groups'],
  [{ hosts: { web: null } }, 'expected object, received null\n  → at hosts.web'],
  [{ hosts: ['web', 'db'] }, 'expected record, received array\n  → at hosts'],
  [{ networks: { mgmt: { adresses: false } } }, 'There is no adresses: there are addresses, dhcp'],
  [{ inventory: 5 }, 'expected a text, or a list of texts\n  → at inventory'],
  [null, 'expected object, received null'],
])('raspiTest(%j) is refused', ([options, why]) => {
  expect(() => raspiTest(options as RaspiTestOptions)).toThrow(/^The options of raspiTest\(\) are wrong:\n✖ /)
  expect(() => raspiTest(options as RaspiTestOptions)).toThrow(why)
})

test('verifyPlaybook and moleculeScenario refuse what they do not know', () => {
  const verify = (options: unknown) => () => verifyPlaybook('site.yml', options as object)
  expect(verify({ except: ['reboots'] })).toThrow(
    /^The options of verifyPlaybook\(\) are wrong:\n✖ .*"failedUnits"\|"reboot"\n {2}→ at except\[0\]$/,
  )
  expect(verify({ playbook: { check: true } })).toThrow('There is no check: there are vaultPasswordFile, ')
  expect(verify({ scope: 'file' })).toThrow('There is no scope: there are image, ')
  expect(verify({ failedUnits: 'nginx' })).toThrow('expected array, received string\n  → at failedUnits')
  expect(verify({ timeout: '5 min' })).toThrow('expected a number of milliseconds\n  → at timeout')
  expect(() => moleculeScenario('molecule/default', { images: 'a' } as object)).toThrow(
    'The options of moleculeScenario() are wrong:\n✖ There is no images: there are image, timeout',
  )
})

test('all that there is may be given, and what is undefined counts as left out', () => {
  const common: CommonTestOptions = {
    ...{ scope: 'file', image: 'debian-12-arm64', board: { name: 'virt', cores: 4 }, internet: false },
    ansible: {
      requirements: true,
      vaultIds: ['dev@pass.txt'],
      env: { ...process.env, HTTP_PROXY: undefined },
    },
  }
  raspiTest({
    ...common,
    hosts: {
      web: { groups: ['web'], vars: { a: { b: [1] } }, networks: ['mgmt'], bmc: true, power: 'off' },
      node: { state: 'enrolled' },
    },
    networks: { mgmt: { addresses: false, dhcp: undefined } },
    ...{ seed: 5, prepare: { playbook: 'a.yml', env: process.env } },
  })
  raspiTest({ ...common, inventory: ['hosts', 'more'], limit: 'web', allowLocal: true })
  raspiTest({ image: undefined, hosts: undefined, ansible: { env: process.env } })
})

test('the types have the options that are known, and no others', () => {
  type Known = z.input<typeof testSchema>
  expectTypeOf<keyof RaspiTestOptions | keyof InventoryTestOptions>().toEqualTypeOf<keyof Known>()
  expectTypeOf<keyof HostOptions>().toEqualTypeOf<keyof NonNullable<Known['hosts']>[string]>()
  expectTypeOf<RaspiTestOptions>().toExtend<Known>()
  expectTypeOf<InventoryTestOptions>().toExtend<Known>()
})
