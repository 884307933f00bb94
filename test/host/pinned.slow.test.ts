import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { lockFileName } from '../../src/image/lock-file.ts'
import { scratchDir } from '../support/scratch-dir.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const main = join(repository, 'src/cli/main.ts')

test('Pis that are brought up are of the image that raspi() names, and of the release that the lock file pins', async () => {
  const cwd = scratchDir()
  mkdirSync(join(cwd, 'node_modules'))
  symlinkSync(join(repository, 'node_modules/vitest'), join(cwd, 'node_modules/vitest'))
  writeFileSync(
    join(cwd, 'vitest.config.mts'),
    `import { raspi } from ${JSON.stringify(join(repository, 'src/plugin.ts'))}
     export default { plugins: [raspi({ image: 'raspios-lite-arm64' })] }`,
  )
  // The server that the release is of is gone, which tells that it was looked for.
  const url = 'http://127.0.0.1:1/raspios.img.xz'
  writeFileSync(
    join(cwd, lockFileName),
    JSON.stringify({ version: 1, images: { 'raspios-lite-arm64@latest': { url, sha256: 'a'.repeat(64) } } }),
  )
  const child = execa(process.execPath, [main, 'up', '--cache-dir', join(cwd, 'cache')], {
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
