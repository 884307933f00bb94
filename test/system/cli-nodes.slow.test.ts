import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, expect, test } from 'vitest'
import { defaultCacheDir } from '../../src/host/paths.ts'
import { engineEnv } from '../support/engine.ts'
import { processesOf } from '../support/processes.ts'

// Nodes that stand: a network between them, enrolled, deployed and switched from the command line.

const root = mkdtempSync(join(tmpdir(), 'rn-'))
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const env: NodeJS.ProcessEnv = {
  ...{ HOME: process.env.HOME, PATH: process.env.PATH, VITEST_RASPI_CACHE: defaultCacheDir() },
  ...engineEnv,
  ...{ XDG_RUNTIME_DIR: join(root, 'x'), TMPDIR: join(root, 't') },
}
for (const dir of [env.XDG_RUNTIME_DIR, env.TMPDIR]) mkdirSync(dir as string, { mode: 0o700 })

afterAll(() => {
  for (const { pid } of processesOf(root)) process.kill(pid, 'SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

const raspi = async (...args: string[]) => {
  const options = { env, extendEnv: false, reject: false, timeout: 300_000 }
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args], options)
  return { exitCode, stdout, stderr }
}

interface Listed {
  state: string
  power: string
  provision?: string
  nics: { mac: string }[]
}

async function list(): Promise<Listed[]> {
  return JSON.parse((await raspi('ls', '--json')).stdout)
}

/** Watches a node of the list, as `ls --watch` tells it: the states that it goes through, until the end. */
function watchNode(index: number) {
  const child = execa(process.execPath, [main, 'ls', '--watch', '--json'], {
    ...{ env, extendEnv: false, reject: false, timeout: 600_000 },
  })
  const states: (string | undefined)[] = []
  const reading = (async () => {
    for await (const line of child) {
      const { provision } = (JSON.parse(line) as Listed[])[index] ?? {}
      if (provision !== states.at(-1)) states.push(provision)
    }
  })()
  const end = async () => {
    child.kill('SIGINT')
    await reading
    return (await child).exitCode
  }
  return { states, end }
}

test('nodes are enrolled, deployed, on a network, switched, and exported', { timeout: 900_000 }, async () => {
  // Where this is a second try.
  await raspi('down')
  const up = await raspi('up', 'one', 'two', '--network', 'mgmt', '--enroll', '--detach', '--for', '30m')
  expect(up.exitCode, up.stderr).toBe(0)
  const enrolled = { state: 'off', power: 'off', provision: 'enroll' }
  expect(await list()).toMatchObject([enrolled, enrolled])
  expect((await raspi('power', 'one', 'on')).stderr).toContain('nothing is deployed on it')
  expect((await raspi('provision', 'one', 'deploy')).stderr).toContain('its state is "enroll"')

  const watched = watchNode(1)
  for (const name of ['one', 'two'])
    expect((await raspi('provision', name, 'provide')).stdout).toBe(`${name}: available`)
  for (const name of ['one', 'two'])
    expect((await raspi('provision', name, 'deploy')).stdout).toBe(`${name}: active`)
  await expect.poll(() => watched.states, { timeout: 30_000 }).toContain('active')
  expect(await watched.end()).toBe(0)
  expect(watched.states.slice(-3)).toEqual(['available', 'deploying', 'active'])
  const before = await list()
  expect(before).toMatchObject(Array(2).fill({ state: 'up', power: 'on', provision: 'active' }))
  expect(await raspi('ssh', 'one', 'ping -n -c 2 two.mgmt')).toMatchObject({ exitCode: 0 })

  // What is on the card stays there without power; the others on the network stay, whoever comes and goes.
  await raspi('ssh', 'two', 'touch mark; sync')
  expect((await raspi('power', 'two', 'cut')).stdout).toBe('two is off.')
  expect(await list()).toMatchObject([{ state: 'up' }, { state: 'off', power: 'off', provision: 'active' }])
  expect((await raspi('power', 'two', 'on')).stdout).toBe('two is on.')
  const back = await raspi('ssh', 'two', 'ls mark && ping -n -c 2 one')
  expect(back.exitCode, back.stderr).toBe(0)

  const yaml = await raspi('inventory', '--format', 'yaml')
  expect(yaml.stdout).toContain(before[1]?.nics[0]?.mac)
  expect((await raspi('inventory', '--format', 'bifrost')).stderr).toContain('no Pi has a BMC')

  expect((await raspi('reset', 'two')).stdout).toContain('two is fresh: off, as it came up')
  expect((await list())[1]).toMatchObject({ ...enrolled, nics: before[1]?.nics })
  expect((await raspi('provision', 'one', 'clean')).stdout).toBe('one: available')
  expect((await raspi('down')).stdout).toBe('Ended one and two.')
})
