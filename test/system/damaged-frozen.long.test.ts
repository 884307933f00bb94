import { chmodSync, closeSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { entriesOf, makeCache, Project } from '../support/project.ts'

const files = {
  'a.test.ts': `
import { expect, test } from 'vitest-raspi'
test('a Pi', async ({ pi }) => {
  expect((await pi.run('uname -m')).stdout).toBe('aarch64\\n')
})`,
}

test('a frozen Pi in which one bit is wrong is not used: the run says so, and makes a new one', {
  timeout: 480_000,
}, async () => {
  using project = new Project({ files })
  const cache = makeCache(join(project.root, 'cache'), 'images')
  const whole = makeCache(join(project.root, 'whole'), 'frozen')
  mkdirSync(join(cache, 'frozen'))
  for (const name of entriesOf(whole, 'frozen')) {
    const dir = join(cache, 'frozen', name)
    await execa('cp', ['-rL', '--sparse=always', join(whole, 'frozen', name), dir])
    flipBit(join(dir, 'ram'))
  }
  const run = () => project.vitest([], { VITEST_RASPI_CACHE: cache }).finished(400_000)

  const first = await run()
  expect(first.output).toMatch(
    /The frozen Pi of debian-12-arm64 is not used and made again: ram is not what was written: its SHA-256 is [0-9a-f]{64}\n/,
  )
  expect(first.output).toContain('1 passed')
  const second = await run()
  expect(second.output).not.toMatch(/is not used|Freezing/)
  expect(second.output).toContain('1 passed')
})

function flipBit(file: string) {
  chmodSync(file, 0o600)
  const handle = openSync(file, 'r+')
  const [byte, middle] = [Buffer.alloc(1), Math.floor(statSync(file).size / 2)]
  readSync(handle, byte, 0, 1, middle)
  byte.writeUInt8(byte.readUInt8() ^ 1)
  writeSync(handle, byte, 0, 1, middle)
  closeSync(handle)
}
