import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { dir as tempDir } from 'tmp-promise'
import { test as base, describe, expect } from 'vitest'
import { hostContext } from '../../src/host/context.ts'
import { programsNamed } from '../../src/host/programs.ts'
import { collectPage } from '../../src/report/page/collect.ts'
import { renderPage } from '../../src/report/page/render.ts'
import { sampleRun } from '../support/sample-run.ts'

// The report page in a real browser: made-up runs, but the page as users get it.

const built = fileURLToPath(new URL('../../dist/report/page', import.meta.url))
/** Where the screenshots are put, for people to look at. */
const screenshots = fileURLToPath(new URL('../../.vitest/page', import.meta.url))
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const [browserPath] = (
  await Promise.all(
    ['chromium', 'chromium-browser', 'google-chrome'].map((name) => programsNamed(name, hostContext())),
  )
).flat()

const test = base
  .extend('browser', { scope: 'file' }, async ({}, { onCleanup }) => {
    const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
    const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
    const browser: Browser = await chromium.launch({
      executablePath: browserPath ?? '',
      args: [...args, ...quiet],
      timeout: 120_000,
    })
    onCleanup(() => browser.close())
    return browser
  })
  .extend('open', async ({ browser }, { onCleanup }) => {
    const { path: dir, cleanup } = await tempDir({ unsafeCleanup: true })
    const pages: Page[] = []
    onCleanup(async () => {
      for (const page of pages) await page.close()
      await cleanup()
    })
    /** Opens the page of a run of `count` tests; what its scripts throw, and whatever it asks the network for, is kept. */
    return async (count: number, colorScheme: 'light' | 'dark' = 'light') => {
      const file = join(dir, '.vitest/raspi/index.html')
      const reported = sampleRun(dir, count)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, await renderPage(collectPage(reported, 'failed', { page: file, root: dir }), built))
      const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 900 } })
      page.setDefaultTimeout(60_000)
      pages.push(page)
      const errors: string[] = []
      page.on('pageerror', (error) => errors.push(String(error)))
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
      page.on(
        'request',
        (request) =>
          request.url().startsWith('file:') ||
          request.url().startsWith('data:') ||
          errors.push(request.url()),
      )
      await page.goto(`file://${file}`)
      return { page, errors }
    }
  })

const elements = (page: Page): Promise<number> => page.evaluate('document.querySelectorAll("*").length')

async function violations(page: Page) {
  // By the debugger, which the page's policy (no other script than its own) does not stop.
  await page.evaluate(readFileSync(axe, 'utf8'))
  const results: AxeResults = await page.evaluate('axe.run()')
  return results.violations.map(({ id, nodes }) => ({
    id,
    nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html}: ${failureSummary}`),
  }))
}

if (!browserPath)
  console.warn('There is no Chromium here to open the report page in: `apt-get install chromium`.')

describe.skipIf(!browserPath)('the report page', { timeout: 240_000 }, () => {
  test.for(['light', 'dark'] as const)('reads well in %s', async (colours, { open }) => {
    const { page, errors } = await open(30, colours)
    mkdirSync(screenshots, { recursive: true })
    await page.screenshot({ path: join(screenshots, `${colours}.png`), fullPage: true })
    expect(await violations(page)).toEqual([])
    // The first of all kinds; what is unfolded holds more to unfold.
    for (let depth = 0; depth < 4; depth++) {
      await page.evaluate(
        'for (const details of document.querySelectorAll("details:nth-of-type(-n+2)")) details.open = true',
      )
      await expect
        .poll(() =>
          page.evaluate(
            '[...document.querySelectorAll("details[open]")].every((each) => each.childElementCount > 1)',
          ),
        )
        .toBe(true)
    }
    await page.screenshot({ path: join(screenshots, `${colours}-unfolded.png`), fullPage: true })
    expect(await violations(page)).toEqual([])
    expect(errors).toEqual([])
  })

  test('shows what failed, where, and what the Pi said', async ({ open }) => {
    const { page, errors } = await open(30)
    const failures = page.locator('#failures')
    await expect.poll(() => failures.locator('.test').count()).toBe(3)
    const first = failures.locator('.test').first()
    const text = await first.innerText()
    for (const part of [
      'test/site.test.ts:12',
      'expect(run).toSucceed() failed',
      'web : Start the server',
      'Unable to start service nginx',
      'Started <unit 59>',
    ])
      expect(text).toContain(part)
    // Texts are texts, whatever they look like.
    expect(text).toContain('answers <b>everybody</b>')
    await first.getByRole('link', { name: 'roles/web/tasks/main.yml:12' }).click()
    const line = page.locator('#file-2-L12')
    expect(await line.innerText()).toMatch(/12\s+✕ 53×\s+50 ok, 3 failed\s+- name: Start the server/)
    expect(await line.getAttribute('class')).toBe('s-failed')
    expect(await page.locator('#file-2-L16').getAttribute('class')).toBe('s-failed')
    expect(await page.locator('#file-2-L11').getAttribute('class')).toBeNull()
    expect(await first.getByRole('link', { name: 'pi.qemu.log' }).getAttribute('href')).toBe(
      'test-3/pi.qemu.log',
    )
    expect(errors).toEqual([])
  })

  test('can be used by keyboard alone', async ({ open }) => {
    const { page } = await open(30)
    const focused = () => page.evaluate('document.activeElement.textContent')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the report')
    while ((await focused()) !== 'Colours: auto') await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('dark')
    // Its choice outlives the page.
    await page.reload()
    expect(await page.locator('#theme').innerText()).toBe('Colours: dark')
    await page.getByLabel('Filter').fill('survives')
    await expect.poll(() => page.locator('#tests [role=status]').innerText()).toMatch(/^\d of 30 tests$/)
    await page.keyboard.press('Tab')
    while (
      !String(await focused()).startsWith('▸') &&
      !(await page.evaluate('document.activeElement.matches("#tests .test > summary")'))
    )
      await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('#tests .test[open] .run').count()).toBeGreaterThan(0)
  })

  test('stays light with 500 tests', async ({ open }) => {
    const [small, large] = [await open(30), await open(500)]
    const few = await elements(small.page)
    const many = await elements(large.page)
    const opened: number = await large.page.evaluate(
      'performance.timing.domComplete - performance.timing.navigationStart',
    )
    console.log(
      `The page of 500 tests was there after ${opened} ms, with ${many} elements; that of 30 has ${few}`,
    )
    expect(many).toBeLessThan(12_000)
    // Into a test that is not in the document yet, by its link in the timeline's table.
    const { page, errors } = large
    await page.getByText('The same as a table').click()
    await page.locator('#timeline tbody tr').nth(99).getByRole('link').click()
    await expect
      .poll(() => page.evaluate('document.activeElement.closest("details").id'))
      .toMatch(/^test-1\d\d$/)
    const bars = await page.locator('#timeline svg rect').count()
    await page.getByRole('button', { name: 'Zoom in' }).click()
    expect(await page.locator('#timeline svg rect').count()).toBeLessThan(bars)
    await page.getByLabel('State').selectOption('failed')
    await expect.poll(() => page.locator('#tests [role=status]').innerText()).toBe('44 of 500 tests')
    expect(errors).toEqual([])
  })
})
