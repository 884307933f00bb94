import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { beforeEach, expect, test } from 'vitest'
import { listing } from '../../../src/cli/ls.ts'
import { wantedPis } from '../../../src/cli/up.ts'
import type { HostContext } from '../../../src/host/context.ts'
import type { StandingLabs } from '../../../src/standing/client.ts'
import type { StandingPi } from '../../../src/standing/protocol.ts'
import { type ReadyPi, staticInventory } from '../../../src/standing/ready-files.ts'
import { thisProcess } from '../../../src/standing/registry.ts'
import { serveStanding } from '../../../src/standing/serve.ts'
import { ansibleThatKnows, repositoryOf } from '../init/repositories.ts'
import { entryOf } from '../standing/entries.ts'
import { run } from './run.ts'
import { standingContext } from './standing-context.ts'

// Nodes of a standing lab: Pis with BMCs and networks, switched and provisioned from the command line.

let context: HostContext
let labs: StandingLabs

beforeEach(() => {
  ;({ context, labs } = standingContext())
})

const since = '2026-11-25T10:00:00.000Z'
const bmc = { host: '127.0.0.1', port: 40_623, user: 'uabc', password: 'pabc' }
const common = { board: 'raspi3b', image: 'debian-12-arm64', origin: 'thawed' as const, since }
const controller00: StandingPi = { ...common, name: 'controller00', state: 'up', power: 'on', sshPort: 2222 }
const compute00: StandingPi = {
  ...{ ...common, name: 'compute00', state: 'off', power: 'off', sshPort: 2223, bmc },
  ...{ provision: 'available', hardware: { cpus: 4, memoryMiB: 1024, diskGiB: 4 } },
}

/** A lab of this process that has both, and what it was asked to do. */
async function standingLab(): Promise<string[]> {
  const asked: string[] = []
  const pis = [controller00, compute00]
  const entry = entryOf(labs.registry.dir, { process: thisProcess(), pis })
  const connection = (port: number) => {
    return { host: '127.0.0.1', port, user: 'pi', privateKeyFile: '/key', knownHostsFile: '/known' }
  }
  const networks = { pxe: { mac: 'dc:a6:32:00:00:01', interface: 'eth1', address: '10.77.1.12' } }
  const ready: ReadyPi[] = [
    { name: 'controller00', groups: [], vars: {}, connection: connection(2222), controlPath: '/c' },
    {
      ...{ name: 'compute00', groups: ['compute'], connection: connection(2223), controlPath: '/d' },
      vars: { raspi_bmc: bmc, raspi_networks: networks },
    },
  ]
  labs.registry.write(entry)
  labs.registry.writePart('inventory', entry, JSON.stringify(staticInventory(ready, {}, '/cp')))
  await serveStanding(
    {
      list: () => pis,
      events: () => [],
      reset: async () => [compute00],
      down: async () => {},
      async power(name, action) {
        asked.push(`${name} ${action}`)
        return action === 'cut' ? 'off' : 'on'
      },
      async provision(name, action, image) {
        asked.push(`${name} ${action} ${image}`)
        return action === 'deploy' ? 'active' : 'available'
      },
    },
    entry.socket,
  )
  return asked
}

test('ls shows power, provision state and BMC where there are nodes', async () => {
  await standingLab()
  const [lab] = labs.labs()
  if (!lab) throw new Error('no lab')
  const lines = listing(
    [controller00, compute00].map((pi) => ({ ...pi, lab })),
    Date.parse(since) + 150_000,
  )
  expect(stripVTControlCharacters(lines.join('\n'))).toMatchInlineSnapshot(`
    "NAME          STATE  POWER  PROVISION  BMC              SSH PORT  IMAGE            ORIGIN  SINCE      ENDS
    controller00  up     on     -          -                2222      debian-12-arm64  thawed  3 min ago  -
    compute00     off    off    available  127.0.0.1:40623  2223      -                -       3 min ago  -"
  `)
})

test('power tells and switches', async () => {
  const asked = await standingLab()
  expect(await run(['power', 'compute00'], context)).toMatchObject({ exitCode: 0, out: 'compute00 is on.' })
  expect(await run(['power', 'compute00', 'cut'], context)).toMatchObject({ out: 'compute00 is off.' })
  expect(JSON.parse((await run(['power', 'compute00', 'cycle', '--json'], context)).out)).toEqual({
    ...{ name: 'compute00', power: 'on' },
  })
  expect(asked).toEqual(['compute00 undefined', 'compute00 cut', 'compute00 cut', 'compute00 on'])
})

test('provision tells and provisions, with the path of an image made absolute', async () => {
  const asked = await standingLab()
  expect(await run(['provision', 'compute00'], context)).toMatchObject({ out: 'compute00: available' })
  expect(await run(['provision', 'compute00', 'deploy', '--image', './other.img'], context)).toMatchObject({
    exitCode: 0,
    out: 'compute00: active',
    err: expect.stringContaining('Deploying'),
  })
  expect(await run(['provision', 'compute00', 'clean', '--json'], context)).toMatchObject({ exitCode: 0 })
  const unknown = await run(['provision', 'compute00', 'deploy', '--image', 'debian-11'], context)
  expect(unknown).toMatchObject({ exitCode: 2, err: expect.stringContaining('"debian-11" is not known.') })
  expect(asked).toEqual([
    'compute00 undefined undefined',
    `compute00 deploy ${process.cwd()}/other.img`,
    'compute00 clean undefined',
  ])
})

test('the inventory is printed in every format', async () => {
  await standingLab()
  const ini = await run(['inventory', '--format', 'ini'], context)
  expect(ini.out).toMatch(/^controller00 .* ansible_port=2222 .*\ncompute00 .*\n\n\[compute\]\ncompute00$/)
  const yaml = await run(['inventory', '--format', 'yaml'], context)
  expect(yaml.out).toMatch(/^all:\n {2}hosts:\n {4}controller00:\n/)
  const json = await run(['inventory', '--format', 'json'], context)
  expect(JSON.parse(json.out)).toMatchObject({ all: { hosts: { compute00: { raspi_bmc: bmc } } } })
  const bifrost = await run(['inventory', '--format', 'bifrost'], context)
  expect(JSON.parse(bifrost.out)).toMatchObject({
    compute00: {
      driver_info: { power: { ipmi_address: '127.0.0.1', ipmi_port: 40_623, ipmi_username: 'uabc' } },
      ...{ nics: [{ mac: 'dc:a6:32:00:00:01' }], properties: { ram: '1024' } },
    },
  })
})

test('a Pi that comes up off is told to be fresh, and off', async () => {
  await standingLab()
  expect(await run(['reset', 'compute00'], context)).toMatchObject({
    out: 'compute00 is fresh: off, as it came up, ssh on port 2223',
  })
})

test('an inventory says which networks its hosts are on', async () => {
  const inventory = join(repositoryOf({ hosts: '…' }), 'hosts')
  const wanted = (raspi_networks: unknown) => {
    const env = ansibleThatKnows({ compute00: ['compute'] }, 'nodes', { compute00: { raspi_networks } })
    return wantedPis([], { inventory }, { env, cwd: '/' })
  }
  expect(await wanted(['pxe'])).toMatchObject({ pis: [{ name: 'compute00', networks: ['pxe'] }] })
  expect((await wanted(undefined)).pis).toMatchObject([{ name: 'compute00' }])
  await expect(wanted('pxe')).rejects.toThrow(
    "The inventory's raspi_networks of compute00 is no list of names.",
  )
})
