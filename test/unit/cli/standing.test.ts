import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { beforeEach, expect, test } from 'vitest'
import { listing } from '../../../src/cli/ls.ts'
import { runCli } from '../../../src/cli/program.ts'
import { wantedPis } from '../../../src/cli/up.ts'
import type { HostContext } from '../../../src/host/context.ts'
import type { StandingLabs } from '../../../src/standing/client.ts'
import type { StandingPi } from '../../../src/standing/protocol.ts'
import { staticInventory } from '../../../src/standing/ready-files.ts'
import { thisProcess } from '../../../src/standing/registry.ts'
import { serveStanding } from '../../../src/standing/serve.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { ansibleThatKnows, repositoryOf } from '../init/repositories.ts'
import { entryOf } from '../standing/entries.ts'
import { run } from './run.ts'
import { standingContext } from './standing-context.ts'

let context: HostContext
let labs: StandingLabs

beforeEach(() => {
  ;({ context, labs } = standingContext())
})

const since = '2026-11-25T10:00:00.000Z'
const connection = {
  host: '127.0.0.1',
  port: 2222,
  user: 'pi',
  privateKeyFile: 'key',
  knownHostsFile: 'known',
}
const boreas: StandingPi = {
  ...{ name: 'boreas', state: 'up', power: 'on', sshPort: 2222, image: 'debian-12-arm64' },
  ...{ board: 'raspi3b', since },
  ...{ origin: 'thawed', startMs: 4_100, controlPath: '/run/ssh', consoleFile: '/nowhere', connection },
}
const zephyrus: StandingPi = {
  ...{ name: 'zephyrus', state: 'lost', power: 'off', sshPort: 2223, image: 'debian-12-arm64' },
  ...{ board: 'raspi3b', since },
  problem: 'QEMU was killed by SIGKILL',
}

/** A lab of this process that has both, and what it was asked to do. */
async function standingLab(): Promise<string[]> {
  const asked: string[] = []
  const pis = [boreas, zephyrus].map(({ name, sshPort }) => ({ name, sshPort }))
  const entry = entryOf(labs.registry.dir, { process: thisProcess(), pis, detached: false })
  const ready = { name: 'boreas', groups: ['cold'], vars: {}, connection, controlPath: '/run/ssh' }
  labs.registry.write(entry)
  labs.registry.writePart('inventory', entry, JSON.stringify(staticInventory([ready], {}, '/cp')))
  await serveStanding(
    {
      list: () => [boreas, zephyrus],
      events: (name) => [{ at: since, text: `${name} thawed` }],
      async reset(names) {
        asked.push(`reset ${names}`)
        return [boreas]
      },
      down: async (names) => void asked.push(`down ${names}`),
      power: async () => 'on',
      provision: async () => 'active',
    },
    entry.socket,
  )
  return asked
}

test('without any Pi each command says so', async () => {
  expect(await run(['ls'], context)).toEqual({
    ...{ exitCode: 0, out: '', err: 'No Pi is up. `vitest-raspi up` brings one up.' },
  })
  expect(await run(['ls', '--json'], context)).toMatchObject({ exitCode: 0, out: '[]' })
  expect(await run(['down'], context)).toMatchObject({ exitCode: 0, out: 'No Pi was up.' })
  expect(await run(['inventory'], context)).toMatchObject({ exitCode: 1, out: '' })
  expect(JSON.parse((await run(['inventory', '--list'], context)).out)).toMatchObject({
    _meta: { hostvars: {} },
  })
  for (const command of ['ssh', 'console', 'logs', 'reset', 'power', 'provision'])
    expect(await run([command, 'boreas'], context)).toMatchObject({
      ...{ exitCode: 1, out: '', err: expect.stringContaining('There is no Pi boreas.\n  No Pi is up.') },
    })
})

test('ls tells state, port, origin and age, and below them what is wrong', async () => {
  await standingLab()
  const [lab] = labs.labs()
  if (!lab) throw new Error('no lab')
  const lines = listing(
    [boreas, zephyrus].map((pi) => ({ ...pi, lab })),
    Date.parse(since) + 150_000,
  )
  expect(stripVTControlCharacters(lines.join('\n'))).toMatchInlineSnapshot(`
    "NAME      STATE  SSH PORT  IMAGE            ORIGIN  SINCE      ENDS
    boreas    up     2222      debian-12-arm64  thawed  3 min ago  with Ctrl-C
    zephyrus  lost   2223      debian-12-arm64  -       3 min ago  with Ctrl-C

    zephyrus: QEMU was killed by SIGKILL"
  `)
  const { out } = await run(['ls', '--json'], context)
  expect(JSON.parse(out)).toMatchObject([
    { ...boreas, until: null, detached: false, labPid: process.pid },
    { state: 'lost', problem: zephyrus.problem },
  ])
  expect(await run(['ls', '-q'], context)).toMatchObject({ out: 'boreas\nzephyrus' })
})

test('ls --watch tells a Pi that has come, and Ctrl-C is its end', async () => {
  const lines: string[] = []
  const output = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) }
  const ended = runCli(['ls', '--watch', '-q'], output, context)
  await expect.poll(() => lines).toEqual([''])
  await standingLab()
  await expect.poll(() => lines).toEqual(['', 'boreas\nzephyrus'])
  process.emit('SIGINT')
  expect(await ended).toBe(0)
})

test('a Pi that is lost is not logged in to, and reset is what helps', async () => {
  await standingLab()
  expect(await run(['ssh', 'zephyrus', 'true'], context)).toEqual({
    ...{ exitCode: 1, out: '' },
    err:
      'Pi zephyrus is lost: QEMU was killed by SIGKILL.\n' +
      '  `vitest-raspi reset zephyrus` makes it fresh.',
  })
  expect(await run(['logs', 'zephyrus'], context)).toMatchObject({
    exitCode: 1,
    out: `${since} zephyrus thawed`,
  })
  expect(await run(['logs', 'zephyrus', '--json'], context)).toMatchObject({ exitCode: 0 })
})

test('a console that is followed goes on from one boot to the next, and ends with its Pi', async () => {
  const consoleFile = join(scratchDir(), 'console.log')
  const pis = [{ ...boreas, consoleFile }]
  const entry = entryOf(labs.registry.dir, { process: thisProcess() })
  labs.registry.write(entry)
  const none = async () => []
  await serveStanding(
    {
      ...{ list: () => pis, events: () => [], reset: none, down: async () => {} },
      ...{ power: async () => 'on', provision: async () => 'active' },
    },
    entry.socket,
  )
  const lines: string[] = []
  const output = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) }
  const ended = runCli(['console', 'boreas', '-f'], output, context)
  // It is off, and has shown nothing yet.
  await delay(500)
  writeFileSync(consoleFile, 'first boot\n')
  await expect.poll(() => lines).toContain('first boot')
  rmSync(consoleFile)
  await delay(500)
  writeFileSync(consoleFile, 'second boot\n')
  await expect.poll(() => lines).toContain('second boot')
  pis.pop()
  rmSync(consoleFile)
  expect(await ended).toBe(0)
})

test('the inventory is a path, or what a script tells', async () => {
  await standingLab()
  expect((await run(['inventory'], context)).out).toBe(labs.registry.inventoryDir)
  expect(JSON.parse((await run(['inventory', '--json'], context)).out)).toEqual({
    ...{ path: labs.registry.inventoryDir, hosts: ['boreas'] },
  })
  expect(JSON.parse((await run(['inventory', '--host', 'boreas'], context)).out)).toMatchObject({
    ansible_port: 2222,
  })
  expect(JSON.parse((await run(['inventory', '--list'], context)).out)).toMatchObject({
    cold: { hosts: ['boreas'] },
  })
})

test('reset and down ask the lab for just what was named', async () => {
  const asked = await standingLab()
  expect(await run(['reset', 'boreas'], context)).toMatchObject({
    ...{ exitCode: 0, out: 'boreas is fresh: thawed in 4.1 s, ssh on port 2222' },
  })
  expect(await run(['reset', '--all', '--json'], context)).toMatchObject({ exitCode: 0 })
  expect(await run(['down', 'zephyrus'], context)).toMatchObject({ exitCode: 0, out: 'Ended zephyrus.' })
  expect(asked).toEqual(['reset boreas', 'reset boreas,zephyrus', 'down zephyrus'])
  for (const wrong of [['reset'], ['reset', 'boreas', '--all']])
    expect(await run(wrong, context)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('say --all'),
    })
})

test('what up is to bring up comes by names, by number or by an inventory', async () => {
  const where = { env: ansibleThatKnows({ 'Web_1.local': ['web'] }, 'site'), cwd: repositoryOf({}) }
  const inventory = join(repositoryOf({ hosts: '…' }), 'hosts')
  expect(await wantedPis([], {}, where)).toEqual({ pis: 1, groupChildren: {} })
  expect(await wantedPis([], { count: 4 }, where)).toEqual({ pis: 4, groupChildren: {} })
  expect(await wantedPis(['web'], {}, where)).toMatchObject({ pis: [{ name: 'web', hostname: 'web' }] })
  expect(await wantedPis([], { inventory }, where)).toEqual({
    pis: [{ name: 'Web_1.local', hostname: 'web-1-local', groups: ['web'], vars: {} }],
    groupChildren: { site: ['web'] },
  })
})

test.for([
  [['up', 'a', 'a'], 'a is named twice.'],
  [['up', 'A'], '"A" cannot be a Pi\'s name'],
  [['up', 'a', '--count', '2'], 'names and --count cannot be given together.'],
  [['up', '--count', '0'], 'It has to be a whole number from 1 to 64.'],
  [['up', '--for', '8'], 'Write it as 90s, 30m, 8h or 2d.'],
  [['up', '--for', '25d'], 'at most 24d'],
  [['up', 'a', '--image', 'nope'], 'Image "nope" is not known.'],
  [['up', '--board', 'raspi9'], "argument 'raspi9' is invalid"],
  [['up', '--off', '--enroll'], "'--off' cannot be used with option '--enroll'"],
  [['power', 'a', 'away'], "value 'away' is invalid"],
  [['provision', 'a', 'clean', '--image', 'b'], '--image is for `deploy` only.'],
  [['inventory', '--list', '--format', 'ini'], "'--list'"],
  [['inventory', '--format', 'toml'], "argument 'toml' is invalid"],
  [['lss'], '(Did you mean ls?)'],
] as const)('%j is wrong usage, and nothing is started', async ([args, message]) => {
  expect(await run(args, context)).toMatchObject({
    exitCode: 2,
    out: '',
    err: expect.stringContaining(message),
  })
  expect(labs.registry.entries()).toEqual([])
})

test('two hosts that would have the same hostname are refused', async () => {
  const env = ansibleThatKnows({ 'web.1': ['web'], web_1: ['web'] }, 'site')
  const inventory = join(repositoryOf({ hosts: '…' }), 'hosts')
  await expect(wantedPis([], { inventory }, { env, cwd: '/' })).rejects.toThrow(
    'web.1 and web_1 would have the same hostname, web-1.',
  )
})

test('a host whose name leaves nothing for a hostname is refused', async () => {
  const env = ansibleThatKnows({ ü: ['web'] }, 'site')
  const inventory = join(repositoryOf({ hosts: '…' }), 'hosts')
  await expect(wantedPis([], { inventory }, { env, cwd: '/' })).rejects.toThrow(
    'ü can have no hostname: its name has none of a-z and 0-9.',
  )
})
