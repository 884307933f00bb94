import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { lockFileName } from '../../src/image/lock-file.ts'
import { scratchDir } from '../support/scratch-dir.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('Pis that are brought up are of the release that the lock file pins', async () => {
  const cwd = scratchDir()
  // The server that the release is of is gone, which tells that it was looked for.
  const url = 'http://127.0.0.1:1/raspios.img.xz'
  writeFileSync(
    join(cwd, lockFileName),
    JSON.stringify({ version: 1, images: { 'raspios-lite-arm64@latest': { url, sha256: 'a'.repeat(64) } } }),
  )
  const up = ['up', '--image', 'raspios-lite-arm64', '--cache-dir', join(cwd, 'cache')]
  const child = execa(process.execPath, [main, ...up], {
    ...{ cwd, all: true, reject: false, stdin: 'ignore', timeout: 100_000 },
    env: { XDG_RUNTIME_DIR: cwd },
  })
  // That it tries several times is of no interest.
  const said: string[] = []
  for await (const line of child.iterable({ from: 'all' })) {
    said.push(line)
    if (line.includes(url)) child.kill('SIGTERM')
  }
  expect(said.join('\n')).toContain(url)
})
