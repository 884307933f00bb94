import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryOf } from '../init/repositories.ts'
import { run } from './run.ts'

test('prune removes what was not used for long, and with --dry-run nothing', async () => {
  const cache = repositoryOf({})
  const dir = join(cache, 'images', 'a'.repeat(64))
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'card.raw'), '')
  const at = new Date(Date.now() - 40 * 86_400_000)
  utimesSync(dir, at, at)
  const broken = join(cache, 'downloads', `${'b'.repeat(64)}.part`)
  mkdirSync(join(cache, 'downloads'))
  for (const path of [broken, `${broken}.json`]) writeFileSync(path, '')
  utimesSync(broken, at, at)

  expect(await run(['prune', '--cache-dir', cache, '--dry-run'])).toMatchObject({
    ...{
      exitCode: 0,
      out: 'Would remove image aaaaaaaaaaaa, 0.0 MB, used 40 d ago\nWould remove download bbbbbbbbbbbb, 0.0 MB, used 40 d ago\n0.0 MB would be free again.',
    },
  })
  expect(await run(['prune', '--cache-dir', cache, '--older-than', '50d'])).toMatchObject({
    ...{ exitCode: 0, out: `Nothing in ${cache} was left unused for 50 d.` },
  })
  expect(existsSync(dir)).toBe(true)
  const { out } = await run(['prune', '--cache-dir', cache, '--json'])
  expect(JSON.parse(out)).toMatchObject({
    dryRun: false,
    removed: [{ kind: 'image', dir }, { kind: 'download' }],
  })
  expect([dir, broken, `${broken}.json`].map(existsSync)).toEqual([false, false, false])
})
