import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { defaultCacheDir } from '../../src/host/paths.ts'
import { engineEnv, killQemu, qemuContainersOf } from '../support/engine.ts'
import { processesOf } from '../support/processes.ts'
import { Terminal } from '../support/terminal.ts'

// A user's way with Pis that stand: brought up in one terminal, found by all others, and gone without a trace.

const root = mkdtempSync(join(tmpdir(), 'ru-'))
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const bin = join(root, 'bin')
const work = join(root, 'my work')
const env: NodeJS.ProcessEnv = {
  ...{ HOME: process.env.HOME, LANG: 'C.UTF-8', ANSIBLE_NOCOLOR: '1' },
  PATH: `${bin}:${process.env.PATH}`,
  VITEST_RASPI_CACHE: defaultCacheDir(),
  ...engineEnv,
  XDG_RUNTIME_DIR: join(root, 'x'),
  TMPDIR: join(root, 't'),
}
for (const dir of [bin, work, env.XDG_RUNTIME_DIR, env.TMPDIR]) mkdirSync(dir as string, { mode: 0o700 })
writeFileSync(join(bin, 'vitest-raspi'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
  mode: 0o755,
})

afterAll(() => {
  for (const { pid } of processesOf(root)) process.kill(pid, 'SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

const open = () => new Terminal(env, work)
const qemus = () => processesOf(root).filter(({ command }) => /^\S*\/qemu-system-\S+ -machine/.test(command))

/** What lies in the directories of the user's, besides what the next lab uses again. */
function leftovers(): string[] {
  const registry = join(root, 'x/vitest-raspi')
  const temporary = readdirSync(join(root, 't')).filter((name) => /raspi/.test(name))
  return [
    ...temporary,
    ...['.', 'inventory', 'ssh'].flatMap((dir) => readdirSync(join(registry, dir))),
  ].filter((name) => /^(vitest-raspi-|lab-)/.test(name))
}

test('four Pis in the background outlive the terminal, and serve all others', {
  timeout: 600_000,
}, async () => {
  writeFileSync(
    join(work, 'hosts.ini'),
    '[cold]\nboreas ansible_host=192.168.1.20 direction=north\nzephyrus\n[warm]\nnotus\neurus\n[winds:children]\ncold\nwarm\n',
  )
  {
    using terminal = open()
    const up = await terminal.run('vitest-raspi up --inventory hosts.ini --detach --for 30m', 300_000)
    expect(up.code, up.shown).toBe(0)
    expect(up.shown).toMatch(/^boreas +\d+ +thawed in .*\nzephyrus .*\nnotus .*\neurus +\d+ +thawed/m)
    expect(up.shown).toMatch(/^They end by themselves in \d+ min\. `vitest-raspi down` ends them\.$/m)
    // Somebody watches: the list moves.
    expect(terminal.sent).toContain('\x1b[?25l')
  }
  using terminal = open()
  const ping = await terminal.run('ansible -i "$(vitest-raspi inventory)" winds -m ping', 120_000)
  expect(ping.code, ping.shown).toBe(0)
  expect(ping.shown.match(/"pong"/g)).toHaveLength(4)
  const north = await terminal.run(
    `ansible -i "$(vitest-raspi inventory)" boreas -m debug -a var=direction`,
    60_000,
  )
  expect(north.shown).toContain('"direction": "north"')

  // Its own name, its exit code, its files.
  const login = await terminal.run("vitest-raspi ssh boreas -- 'hostname; touch mark; exit 7'", 60_000)
  expect(login).toMatchObject({ code: 7, shown: expect.stringMatching(/^boreas$/m) })
  const other = await terminal.run('ssh -F "$XDG_RUNTIME_DIR/vitest-raspi/ssh_config" notus hostname', 60_000)
  expect(other).toMatchObject({ code: 0, shown: expect.stringMatching(/^notus$/m) })
  const before = await list(terminal)
  const reset = await terminal.run('vitest-raspi reset boreas', 120_000)
  expect(reset.code, reset.shown).toBe(0)
  expect((await terminal.run('vitest-raspi ssh boreas ls mark', 60_000)).code).toBe(2)
  const after = await list(terminal)
  expect(after).toMatchObject([
    { name: 'boreas', state: 'up', sshPort: before[0]?.sshPort, origin: 'thawed' },
    { name: 'zephyrus', state: 'up', sshPort: before[1]?.sshPort, since: before[1]?.since },
    { name: 'notus', state: 'up', sshPort: before[2]?.sshPort, since: before[2]?.since },
    { name: 'eurus', state: 'up', sshPort: before[3]?.sshPort, since: before[3]?.since },
  ])
  expect(Date.parse(after[0]?.since ?? '')).toBeGreaterThan(Date.parse(before[0]?.since ?? ''))
  expect((await terminal.run('vitest-raspi up notus', 60_000)).shown).toContain('notus is up already.')

  const [console, logs] = [
    await terminal.run('vitest-raspi console boreas -n 100', 60_000),
    await terminal.run('vitest-raspi logs boreas -n 3', 60_000),
  ]
  expect(console.shown).toContain('usb')
  expect(logs.shown).toMatch(/ended, to be made fresh\n.* thawed in .*\n(.* boreas .*\n){3}/)

  // A Pi that dies is told, and can be had again.
  killQemu(dirname(after[2]?.consoleFile ?? ''))
  await expect
    .poll(async () => (await list(terminal))[2], { timeout: 30_000 })
    .toMatchObject({ state: 'lost', problem: expect.stringContaining('killed by SIGKILL') })
  expect((await terminal.run('vitest-raspi ssh notus true', 60_000)).shown).toContain(
    'Pi notus is lost: QEMU was killed by SIGKILL',
  )
  expect((await terminal.run('vitest-raspi down notus', 60_000)).shown).toContain('Ended notus.')
  expect(await list(terminal)).toMatchObject([
    { name: 'boreas', state: 'up' },
    { name: 'zephyrus', state: 'up' },
    { name: 'eurus', state: 'up' },
  ])

  // And so is a lab, whose Pis die with it.
  const labPid = after[0]?.labPid as number
  const running = () => [...qemus(), ...qemuContainersOf(labPid)]
  expect(running()).toHaveLength(3)
  process.kill(labPid, 'SIGKILL')
  await expect.poll(running, { timeout: 5_000, interval: 50 }).toEqual([])
  expect((await terminal.run('vitest-raspi ls', 60_000)).shown).toMatch(
    /^boreas +gone .*\nzephyrus +gone .*\neurus +gone .*\n\nboreas: the process of its lab \(\d+\) has died, and the Pi with it$/m,
  )
  expect((await terminal.run('vitest-raspi ls', 60_000)).shown).toContain('No Pi is up.')
  expect(leftovers()).toEqual([])
})

test('Pis in the foreground end with Ctrl-C or by `down`, and leave nothing', {
  timeout: 600_000,
}, async () => {
  using terminal = open()
  using other = open()
  for (const end of [() => terminal.interrupt(), () => other.type('vitest-raspi down')]) {
    const up = terminal.run('vitest-raspi up', 300_000)
    await terminal.shows(/^Ctrl-C ends them\.$/m, 240_000, terminal.shown.length)
    expect(await list(other)).toMatchObject([{ name: 'boreas', state: 'up' }])
    end()
    expect(await up).toMatchObject({
      code: 0,
      shown: expect.stringMatching(
        /The lab has ended: (it was ended by SIGINT|its last Pi was taken down)\.$/m,
      ),
    })
    await expect.poll(qemus, { timeout: 5_000, interval: 50 }).toEqual([])
    expect(leftovers()).toEqual([])
  }
  expect((await other.run('vitest-raspi inventory', 60_000)).code).toBe(1)
})

interface Listed {
  name: string
  since: string
  sshPort: number
  consoleFile: string
  labPid: number
}

async function list(terminal: Terminal): Promise<Listed[]> {
  const { shown } = await terminal.run('vitest-raspi ls --json', 60_000)
  return JSON.parse(shown.slice(shown.indexOf('\n['), shown.lastIndexOf('\nexit=')))
}
