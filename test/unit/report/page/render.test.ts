import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { expect, test } from 'vitest'
import type { PageData } from '../../../../src/report/page/data.ts'
import { jsonForHtml, renderPage } from '../../../../src/report/page/render.ts'

test('what is shown can neither end the element it is in nor become markup', () => {
  const evil = { name: '</script><script>alert(1)</script><!-- \u2028', also: '<!-- script -->' }
  const json = jsonForHtml(evil)
  expect(json).not.toMatch(/[<\u2028]/)
  expect(JSON.parse(json)).toEqual(evil)
})

test('all is in one file, and its policy allows its own script alone', async () => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  await writeFile(
    join(path, 'page.html'),
    '<!-- policy --><!-- style --><!-- data --><!-- script --><!-- else -->',
  )
  await writeFile(join(path, 'page.css'), 'p { color: red }')
  await writeFile(join(path, 'page.js'), "run('$& <!-- data -->')")
  const html = await renderPage({ tests: [{ name: '<!-- script --> $&' }] } as unknown as PageData, path)
  await cleanup()
  const [, script = ''] = /<script>(.*)<\/script>/s.exec(html) ?? []
  expect(script).toBe("run('$& <!-- data -->')")
  expect(html).toContain(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`)
  expect(html).toContain('{"tests":[{"name":"\\u003c!-- script --> $&"}]}')
  expect(html).toContain('<!-- else -->')
})
