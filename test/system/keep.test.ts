import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

test('the Pi of a failed test stays up to be looked at, what went through its network is kept, and the run ends with it', {
  timeout: 600_000,
}, async () => {
  using project = new Project({
    files: {
      'keep.test.ts': `
import { raspiTest, test } from 'vitest-raspi'
const networked = raspiTest({ hosts: { pi: { networks: ['net'] } } })
test('passes', async ({ pi }) => void await pi.run('true'))
networked('fails', async ({ pi }) => {
  await pi.run('touch mark')
  await pi.run('ping -n -c 1 -W 1 10.77.1.99')
})`,
    },
  })
  const env = { XDG_RUNTIME_DIR: join(project.root, 'x'), TMPDIR: project.tmpDir }
  mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 })
  const cli = (...args: string[]) => execa(process.execPath, [main, ...args], { env, reject: false })

  const run = project.vitest([], { ...env, VITEST_RASPI_KEEP: 'failed' })
  await run.says(/stays for an hour/, 300_000)
  expect(run.output).toContain('1 failed | 1 passed')
  const [, name = ''] =
    /Pi (\S+) is kept after the failure of .*fails: npx vitest-raspi ssh/.exec(run.output) ?? []
  const capture = join(project.dir, '.vitest/raspi/keep.test.ts/fails/net.pcap')
  const bytes = readFileSync(capture)
  expect(bytes.readUInt32LE(0)).toBe(0xa1b2c3d4)
  expect(bytes.length).toBeGreaterThan(24)
  // Where they are installed.
  for (const program of ['tcpdump', 'tshark']) {
    const read = await execa(program, ['-n', '-r', capture, 'arp'], { reject: false })
    if (read.code !== 'ENOENT') expect(read.stdout).toMatch(/who.has 10\.77\.1\.99/i)
  }

  const { stdout } = await cli('ls', '--json')
  expect(JSON.parse(stdout)).toMatchObject([{ name, state: 'up', origin: 'thawed' }])
  expect(await cli('ssh', name, 'ls', 'mark')).toMatchObject({ exitCode: 0, stdout: 'mark' })
  expect(await cli('down')).toMatchObject({ exitCode: 0, stdout: `Ended ${name}.` })
  expect((await run.finished(30_000)).code).toBe(1)
  expect(project.leftovers()).toEqual([])
})
