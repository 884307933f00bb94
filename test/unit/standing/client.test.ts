import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import { StandingLabs } from '../../../src/standing/client.ts'
import type { StandingPi } from '../../../src/standing/protocol.ts'
import { thisProcess } from '../../../src/standing/registry.ts'
import { serveStanding } from '../../../src/standing/serve.ts'
import { entryOf } from './entries.ts'

let labs: StandingLabs

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'labs-'))
  labs = new StandingLabs({ XDG_RUNTIME_DIR: dir })
  onTestFinished(() => rmSync(dir, { recursive: true }))
})

const boreas: StandingPi = {
  ...{ name: 'boreas', state: 'up', power: 'on', sshPort: 2222, image: 'debian-12-arm64', board: 'raspi3b' },
  ...{ since: '2026-11-25T10:00:00.000Z', controlPath: '/run/ssh' },
  connection: { host: '127.0.0.1', port: 2222, user: 'pi', privateKeyFile: 'key', knownHostsFile: 'known' },
}

/** A lab of this very process that has `pis`, and what it is asked to do. */
async function standingLab(pis: StandingPi[]): Promise<string[]> {
  const asked: string[] = []
  const entry = entryOf(labs.registry.dir, {
    process: thisProcess(),
    pis: pis.map(({ name, sshPort }) => ({ name, sshPort })),
  })
  labs.registry.write(entry)
  await serveStanding(
    {
      list: () => pis,
      events: () => [],
      async power(name, action) {
        asked.push(`power ${name} ${action}`)
        return 'off'
      },
      async provision(name, action, image) {
        asked.push(`provision ${name} ${action} ${image}`)
        return 'active'
      },
      async reset(names) {
        asked.push(`reset ${names}`)
        throw new RaspiError('boot', 'It did not boot.', { hint: 'Look at it.' })
      },
      down: async (names) => void asked.push(`down ${names}`),
    },
    entry.socket,
  )
  return asked
}

test('a living lab is asked for its Pis', async () => {
  await standingLab([boreas, { ...boreas, name: 'zephyrus', state: 'off' }])
  expect(await labs.list()).toMatchObject([boreas, { name: 'zephyrus', state: 'off' }])
  expect(await labs.one('boreas')).toMatchObject(boreas)
  await expect(labs.one('zephyrus')).rejects.toThrow(
    'Pi zephyrus is switched off.\n' +
      '  `vitest-raspi power zephyrus on` switches it on. `vitest-raspi reset zephyrus` makes it fresh.',
  )
  await expect(labs.find(['notus'])).rejects.toThrow('There is no Pi notus.\n  There are: boreas, zephyrus.')
})

test('a node on which nothing is deployed is not logged in to, and deploying it is what helps', async () => {
  await standingLab([{ ...boreas, state: 'off', power: 'off', provision: 'available' }])
  await expect(labs.one('boreas')).rejects.toThrow(
    'Pi boreas is switched off.\n  Its state is "available": `vitest-raspi provision boreas` deploys it.',
  )
})

test('power and provision are asked of its lab, with what is not given left out', async () => {
  const asked = await standingLab([boreas])
  const [pi] = await labs.find(['boreas'])
  if (!pi) throw new Error('no Pi')
  expect(await labs.power(pi, undefined)).toBe('off')
  expect(await labs.power(pi, 'cut')).toBe('off')
  expect(await labs.provision(pi, undefined)).toBe('active')
  expect(await labs.provision(pi, 'deploy', 'debian-12-armhf')).toBe('active')
  expect(asked).toEqual([
    ...['power boreas undefined', 'power boreas cut', 'provision boreas undefined undefined'],
    'provision boreas deploy debian-12-armhf',
  ])
})

test('what it fails at comes back as its error', async () => {
  const asked = await standingLab([boreas])
  await expect(labs.reset(await labs.find(['boreas']))).rejects.toMatchObject({
    ...{ kind: 'boot', message: 'It did not boot.\n  Look at it.' },
  })
  expect(asked).toEqual(['reset boreas'])
})

test('a lab that has written itself down and does not listen yet is starting', async () => {
  labs.registry.write(entryOf(labs.registry.dir, { process: thisProcess() }))
  const [pi] = await labs.list()
  if (!pi) throw new Error('no Pi')
  expect(pi).toMatchObject({ name: 'boreas', state: 'starting' })
  for (const asked of [labs.down([pi]), labs.reset([pi]), labs.power(pi, 'on')])
    await expect(asked).rejects.toThrow(
      'The lab of boreas does not listen: it is just starting, or has just ended.',
    )
})

test('the Pis of a lab whose process has died are told as gone, once, and nothing is left of it', async () => {
  const process = { pid: 4_194_304, startTime: '1' }
  const entry = entryOf(labs.registry.dir, { process })
  labs.registry.write(entry)
  labs.registry.writePart('inventory', entry, '{}')
  writeFileSync(join(labs.registry.dir, `socket-${process.pid}`), '')
  expect(await labs.list()).toMatchObject([
    {
      name: 'boreas',
      state: 'gone',
      problem: 'the process of its lab (4194304) has died, and the Pi with it',
    },
  ])
  expect(await labs.list()).toEqual([])
  expect(() => labs.registry.readInventory(entry)).toThrow(/ENOENT/)
})
